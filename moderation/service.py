"""What all faces call: from comments to recorded verdicts, with the model that is active now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moderation import checks
from moderation.auth import Gatekeeper, is_loopback
from moderation.checks.case import Model
from moderation.classifier import Assessment
from moderation.errors import ModelRefused
from moderation.metrics import Metrics
from moderation.moderator import Moderator
from moderation.problems import Overloaded, TooManyBatches
from moderation.settings import Settings
from moderation.store import Store
from moderation.turnstile import Turnstile
from moderation.verdict import Comment, Verdict

# Python works on one thing at a time. Two comments at once, one in the database while the other is
# judged, gave 830 verdicts a second from one worker; eight at once gave 410.
_AT_ONCE, _WAIT = 2, 2.0  # backends give up after about two seconds
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


class Service:
    """One process' settings, database and models. Thread-safe."""

    def __init__(self, settings: Settings, store: Store, shelf: Shelf) -> None:
        self.settings = settings
        self.store = store
        self.shelf = shelf
        self.metrics = Metrics()
        self.gatekeeper = Gatekeeper(store.keys, open_until_first_key=is_loopback(settings.host))
        self.turnstiles = {
            "comment": Turnstile(_AT_ONCE, _WAIT, _overloaded),
            "batch": Turnstile(_BATCHES_AT_ONCE, _BATCH_WAIT, _too_many_batches),
        }
        self._current: tuple[LoadedModel, Moderator] | None = None

    def judge(
        self,
        site: str,
        comments: Sequence[Comment],
        *,
        record: bool = True,
        idempotency_key: str = "",
        alone: bool = False,
    ) -> list[Judged]:
        """A verdict on each comment, in the same order. What was recorded before under the same
        key or external_id gets its first verdict again. `alone`: whatever came before."""
        if not record:
            return [Judged(None, verdict) for verdict in self._moderate(site, comments, alone)]
        named = idempotency_key or any(comment.external_id for comment in comments)
        known = (
            self.store.replay(site, comments, idempotency_key) if named else [None] * len(comments)
        )
        if all(known):
            return [Judged(first.id, first.verdict) for first in known if first]
        new = [c for c, first in zip(comments, known, strict=True) if first is None]
        judged = iter(self._moderate(site, new, alone))
        # All of them, with the known ones: the place in the batch is part of an item's key.
        verdicts = [first.verdict if first else next(judged) for first in known]
        policy = self.settings.policy(site)
        stored = self.store.record(policy, comments, verdicts, idempotency_key)
        return [Judged(one.id, one.verdict) for one in stored]

    def assess(self, comments: Sequence[Comment]) -> Sequence[Assessment]:
        """The scores alone, for a protocol that asks for scores."""
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

    def _moderate(self, site: str, comments: Sequence[Comment], alone: bool) -> list[Verdict]:
        policy, history = self.settings.policy(site), None if alone else self.store.history(site)
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
