"""What all faces call: from comments to recorded verdicts, with the model that is active now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moderation import checks
from moderation.auth import Gatekeeper, is_loopback
from moderation.batching import Batcher
from moderation.checks.case import History, Model
from moderation.classifier import Assessment
from moderation.errors import ModelRefused, ModerationError
from moderation.metrics import Metrics
from moderation.moderator import Moderator
from moderation.problems import Overloaded, TooManyBatches, TooManyCalls
from moderation.settings import Settings
from moderation.store import Store
from moderation.store.intake import Name, Submission
from moderation.turnstile import Turnstile
from moderation.verdict import Comment, Verdict

# With two at once, batches were half as large, and fewer were recorded a second.
_AT_ONCE, _WAIT = 1, 2.0  # backends give up after about two seconds
_MOST, _LARGEST = 64, 65_536  # comments of a batch, and characters: longer texts go alone
_QUEUE = 1_000
_BATCHES_AT_ONCE, _BATCH_WAIT = 1, 30.0  # scripts are more patient


class LoadedModel(Model, Protocol):
    """A model with its manifest."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What training wrote about it."""
        ...


class Shelf(Protocol):
    """The installed models, one of them active."""

    def versions(self) -> Sequence[str]:
        """All that are installed."""
        ...

    def active(self) -> LoadedModel:
        """The one in use; cheap, so it is asked for every comment."""
        ...

    def load(self, version: str) -> LoadedModel:
        """An installed one, active or not; UnknownModel or ModelRefused."""
        ...

    def manifest(self, version: str) -> Mapping[str, Any]:
        """What an installed model says of itself; UnknownModel or ModelRefused."""
        ...

    def activate(self, version: str) -> object:
        """Use this one from now on, in every process; UnknownModel or ModelRefused."""
        ...

    def previous(self) -> str | None:
        """The one before, if there was one."""
        ...

    def rollback(self) -> object:
        """Use the one before again."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the id of the recorded comment where it was recorded."""

    id: str | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Order(Submission):
    """The comments of one request, and how they are to be judged."""

    site: str = ""
    record: bool = True
    alone: bool = False


class Service:
    """One process' settings, database and models. Thread-safe."""

    def __init__(self, settings: Settings, store: Store, shelf: Shelf) -> None:
        self.settings = settings
        self.store = store
        self.shelf = shelf
        self.metrics = Metrics()
        self.gatekeeper = Gatekeeper(
            store.keys, self._count_call, open_until_first_key=is_loopback(settings.host)
        )
        self.singles = Batcher(
            self._judge_all,
            _overloaded,
            at_once=_AT_ONCE,
            most=_MOST,
            largest=_LARGEST,
            queue=_QUEUE,
            seconds=_WAIT,
        )
        self._assessing = Turnstile(_AT_ONCE, _WAIT, _overloaded)
        self.batches = Turnstile(_BATCHES_AT_ONCE, _BATCH_WAIT, _too_many_batches)
        self._current: tuple[LoadedModel, Moderator] | None = None

    def judge(
        self,
        site: str,
        comments: Sequence[Comment],
        *,
        record: bool = True,
        alone: bool = False,
        idempotency_key: str = "",
        name: Name | None = None,
    ) -> list[Judged]:
        """A verdict on each comment, in the same order. What was recorded before under the same
        key or external_id gets its first verdict again. `alone`: whatever came before. `name`
        gives judged comments an external_id."""
        order = _Order(comments, idempotency_key, name, site, record, alone)
        if len(comments) == 1:
            if record and not comments[0].author.trusted:
                self._count_comment(site, comments[0])
            return self.singles(order, size=len(comments[0].content))
        with self.batches.turn():
            (answer,) = self._judge_all([order])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def assess(self, comments: Sequence[Comment]) -> Sequence[Assessment]:
        """The scores alone, for a protocol that asks for scores."""
        with self._assessing.turn():
            return self.shelf.active().assess(comments)

    def judge_with(
        self, model: LoadedModel, site: str, comments: Sequence[Comment]
    ) -> list[Verdict]:
        """What another model than the active one would say of each, alone."""
        moderator = Moderator(checks.build(model), model)
        return moderator.moderate(comments, self.settings.policy(site))

    def reads(self, head: str) -> frozenset[str]:
        """The languages in which the active model was trained to judge `spam` or `abuse`."""
        return frozenset(self.shelf.active().manifest["languages"][head])

    def self_check(self) -> str:
        """The active model's version, once it has judged and the database has taken a write;
        else the error that says which of them does not work."""
        model = self.shelf.active()
        try:
            (assessment,) = model.assess([Comment("Thanks, this helped me a lot!")])
            sound = all(_is_probability(assessment.scores[head]) for head in ("spam", "abuse"))
        except Exception as error:
            raise ModelRefused(model.version, f"{type(error).__name__} on a sample") from error
        if not sound:
            raise ModelRefused(model.version, "its scores are not probabilities")
        self.store.ping()
        return model.version

    def _count_call(self, site: str, key: str) -> None:
        if limit := self.settings.policy(site).key_rate:
            self._count("key", f"key:{site}:{key}", limit)

    def _count_comment(self, site: str, comment: Comment) -> None:
        limit, ip = self.settings.policy(site).address_rate, comment.author.ip
        if limit and ip:
            self._count("address", self.store.address(site, ip), limit)

    def _count(self, whose: str, who: str, limit: int) -> None:
        if seconds := self.store.rates.wait(who, limit):
            raise TooManyCalls(whose, limit, seconds)

    def _judge_all(self, orders: Sequence[_Order]) -> list[list[Judged] | Exception]:
        alike: dict[tuple[str, bool, bool], dict[int, _Order]] = {}
        for place, order in enumerate(orders):
            alike.setdefault((order.site, order.record, order.alone), {})[place] = order
        answers: dict[int, list[Judged] | Exception] = {}
        for some in alike.values():
            answers |= zip(some, self._judge_alike([*some.values()]), strict=True)
        return [answers[place] for place in range(len(orders))]

    def _judge_alike(self, orders: Sequence[_Order]) -> Sequence[list[Judged] | Exception]:
        try:
            return (self._recorded if orders[0].record else self._unrecorded)(orders)
        except ModerationError as error:  # a part of the service is away: for all of them
            return [error] * len(orders)
        except Exception as error:
            if len(orders) == 1:
                return [error]
            return [answer for order in orders for answer in self._judge_alike([order])]

    def _recorded(self, orders: Sequence[_Order]) -> list[list[Judged] | Exception]:
        site, alone = orders[0].site, orders[0].alone

        def judge(comments: Sequence[Comment], history: History) -> list[Verdict]:
            return self._moderate(site, comments, None if alone else history)

        taken = self.store.submit(self.settings.policy(site), orders, judge)
        return [
            kept if isinstance(kept, Exception) else [Judged(one.id, one.verdict) for one in kept]
            for kept in taken
        ]

    def _unrecorded(self, orders: Sequence[_Order]) -> list[list[Judged]]:
        site = orders[0].site
        history = None if orders[0].alone else self.store.history(site)
        comments = [comment for order in orders for comment in order.comments]
        verdicts = iter(self._moderate(site, comments, history))
        return [[Judged(None, next(verdicts)) for _ in order.comments] for order in orders]

    def _moderate(
        self, site: str, comments: Sequence[Comment], history: History | None
    ) -> list[Verdict]:
        policy = self.settings.policy(site)
        verdicts = self._moderator().moderate(comments, policy, history)
        self.metrics.count(verdicts)
        return verdicts

    def _moderator(self) -> Moderator:
        model, current = self.shelf.active(), self._current
        if current is None or current[0] is not model:
            current = (model, Moderator(checks.build(model), model))
            self._current = current
        return current[1]


def _is_probability(score: float) -> bool:
    return math.isfinite(score) and 0 <= score <= 1


def _overloaded() -> Overloaded:
    return Overloaded("More is coming in than this machine can judge. Nothing was recorded.")


def _too_many_batches() -> TooManyBatches:
    return TooManyBatches("Other batches are being judged. Send one after the other.")
