"""The runner: every check counts, what fails is declared, and nothing passes by accident."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moderation import checks
from moderation.checks.case import Case, Check
from moderation.classifier import Assessment
from moderation.errors import Conflict, StoreUnavailable
from moderation.moderator import Moderator
from moderation.settings import Policy
from moderation.store import Store
from moderation.store.intake import Submission
from moderation.store.stored import Stored
from moderation.verdict import Author, Comment, Finding
from tests.conftest import WordModel

HOLDS: Check = lambda cases: [(Finding("links", "Too many."),) for _ in cases]  # noqa: E731
NOTES: Check = lambda cases: [(Finding("html", "Fine.", 0.2, holds=False),) for _ in cases]  # noqa: E731
SILENT: Check = lambda cases: [() for _ in cases]  # noqa: E731


def breaks(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
    raise RuntimeError(f"cannot read {cases[0].comment.content}")


def breaks_on_poison(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
    if any(case.comment.content == "poison" for case in cases):
        raise RuntimeError("poison")
    return [() for _ in cases]


class BrokenModel(WordModel):
    def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
        raise RuntimeError("no model")


def test_a_comment_without_findings_is_published_with_both_scores(
    model: WordModel, policy: Policy
) -> None:
    (verdict,) = Moderator([SILENT], model).moderate([Comment("A <b>fine</b> day")], policy)
    assert (verdict.decision, verdict.reasons, verdict.degraded) == ("publish", (), False)
    assert verdict.scores == {"spam": 0.01, "abuse": 0.01}
    assert (verdict.html, verdict.model) == ("A <b>fine</b> day", "words-1")
    assert (verdict.language.code, verdict.language.evaluated) == ("en", True)


def test_reasons_are_the_findings_that_hold_in_the_order_of_the_list(
    model: WordModel, policy: Policy
) -> None:
    moderator = Moderator([NOTES, HOLDS, checks.classifier.judge(model)], model)
    (verdict,) = moderator.moderate([Comment("pills, idiot")], policy)
    assert verdict.decision == "hold"
    assert [reason.code for reason in verdict.reasons] == ["links", "spam", "abuse"]
    assert verdict.scores == {"html": 0.2, "spam": 0.999, "abuse": 0.999}


def test_no_comments_give_no_verdicts(model: WordModel, policy: Policy) -> None:
    assert Moderator(checks.build(model), model).moderate([], policy) == []


def test_a_failing_check_holds_and_the_others_count(model: WordModel, policy: Policy) -> None:
    (verdict,) = Moderator([breaks, HOLDS], model).moderate([Comment("x")], policy)
    assert [reason.code for reason in verdict.reasons] == ["links", "degraded"]
    assert verdict.degraded


def test_a_site_may_publish_what_a_failing_check_left_open(
    model: WordModel, policy: Policy
) -> None:
    lenient = replace(policy, on_error="publish")
    (verdict,) = Moderator([breaks], model).moderate([Comment("x")], lenient)
    assert (verdict.decision, verdict.degraded) == ("publish", True)


@pytest.mark.parametrize("on_error", ["hold", "publish"])
def test_a_failing_model_is_declared_and_says_nothing_about_the_text(
    policy: Policy, on_error: str
) -> None:
    declared = replace(policy, on_error=on_error)  # type: ignore[arg-type]
    broken = BrokenModel()
    (verdict,) = Moderator(checks.build(broken), broken).moderate([Comment("x")], declared)
    assert (verdict.decision, verdict.degraded) == (on_error, True)
    assert verdict.scores == {"spam": 0.5, "abuse": 0.5}
    assert not verdict.language.evaluated


def test_where_the_html_policy_fails_the_comment_shows_as_text(
    model: WordModel, policy: Policy
) -> None:
    broken = replace(policy, html=None)  # type: ignore[arg-type]
    (verdict,) = Moderator([SILENT], model).moderate([Comment("<b>x</b>")], broken)
    assert (verdict.decision, verdict.degraded) == ("hold", True)
    assert verdict.html == "&lt;b&gt;x&lt;/b&gt;"


def test_one_bad_comment_does_not_degrade_its_batch(model: WordModel, policy: Policy) -> None:
    batch = [Comment(text) for text in ("a", "poison", "b")]
    verdicts = Moderator([breaks_on_poison], model).moderate(batch, policy)
    assert [verdict.degraded for verdict in verdicts] == [False, True, False]


def test_a_part_that_is_away_is_asked_once_not_once_for_each_comment(
    model: WordModel, policy: Policy
) -> None:
    calls = []

    def away(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
        calls.append(len(cases))
        raise StoreUnavailable("locked")

    verdicts = Moderator([away], model).moderate([Comment("a"), Comment("b")], policy)
    assert all(verdict.degraded for verdict in verdicts)
    assert calls == [2]


def test_a_check_that_answers_for_too_few_comments_has_failed(
    model: WordModel, policy: Policy
) -> None:
    (verdict,) = Moderator([lambda cases: []], model).moderate([Comment("a")], policy)
    assert verdict.degraded


def test_the_log_names_the_place_of_a_failure_and_not_the_text(
    model: WordModel, policy: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        Moderator([breaks], model).moderate([Comment("my private words")], policy)
    assert "RuntimeError" in caplog.text
    assert "test_moderator.py" in caplog.text
    assert "private" not in caplog.text


def test_a_full_batch_is_judged_like_its_comments_one_by_one(
    model: WordModel, policy: Policy
) -> None:
    texts = ("pills here", "hello <i>you</i>", "idiot", "привет, как дела")
    batch = [Comment(f"{texts[n % 4]} {n}") for n in range(1000)]
    moderator = Moderator(checks.build(model), model)
    alone = [moderator.moderate([comment], policy)[0] for comment in batch[:20]]
    assert moderator.moderate(batch, policy)[:20] == alone


def test_with_a_real_history_repetition_and_flood_are_held_alone_and_in_a_batch(
    model: WordModel, policy: Policy, store: Store
) -> None:
    moderator = Moderator(checks.build(model), model)
    long = "A long and thoughtful comment on the article that was posted here today"

    def codes(name: str, *contents: str, at_once: bool) -> list[list[str]]:
        site = replace(policy, site=name)
        batch = [Comment(content, Author(id="1")) for content in contents]
        kept: list[Stored] = []
        for part in [batch] if at_once else [[comment] for comment in batch]:
            (taken,) = store.submit(
                site,
                [Submission(part)],
                lambda new, history: moderator.moderate(new, site, history),
            )
            assert not isinstance(taken, Conflict)
            kept += taken
        return [[reason.code for reason in stored.verdict.reasons] for stored in kept]

    sent = (long, "b", long.upper(), "d", "e", "f", "g")
    expected: list[list[str]] = [[], [], ["duplicate"], [], [], ["flood"], ["flood"]]
    assert codes("alone", *sent, at_once=False) == expected
    assert codes("batch", *sent, at_once=True) == expected
