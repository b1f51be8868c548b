"""Runs the list of checks and makes the verdict. Knows no check by name, and lets none pass
silently: whatever fails leaves its comments `degraded`, and the others count all the same."""

from __future__ import annotations

import html
import logging
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from moderation.checks.case import Case, Check, History, Model
from moderation.classifier import Assessment
from moderation.errors import ModerationError
from moderation.html_policy import HtmlPolicy
from moderation.settings import Policy
from moderation.verdict import REASON_CODES, Comment, Finding, Language, Page, Verdict

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

# A probability of which nothing is known, where the model failed.
_NO_SCORES = {"spam": 0.5, "abuse": 0.5}


class Moderator:
    """The checks and the model that they rest on. Immutable; a new model gets a new one."""

    def __init__(self, checks: Sequence[Check], model: Model) -> None:
        self._checks = tuple(checks)
        self._model = model
        self._html = lru_cache(maxsize=256)(HtmlPolicy)

    def moderate(
        self, comments: Sequence[Comment], policy: Policy, history: History | None = None
    ) -> list[Verdict]:
        """A verdict on each comment of one site, in the same order; the same for one as for many.

        Without history, nothing that rests on earlier comments applies.
        """

        def render(batch: Sequence[Comment]) -> list[Page]:
            page = self._html(policy.html).render
            return [page(comment.content) for comment in batch]

        pages = _run(render, comments)
        assessments = _run(self._model.assess, comments)
        cases = [
            Case(comment, page or _as_text(comment), assessment, policy, history)
            for comment, page, assessment in zip(comments, pages, assessments, strict=True)
        ]
        judged = [_run(check, cases) for check in self._checks]
        return [
            self._verdict(case, page is None, findings)
            for case, page, *findings in zip(cases, pages, *judged, strict=True)
        ]

    def _verdict(
        self, case: Case, unread: bool, judged: Sequence[Sequence[Finding] | None]
    ) -> Verdict:
        findings = [finding for found in judged if found for finding in found]
        degraded = unread or case.assessment is None or None in judged
        if degraded:
            holds = case.policy.on_error == "hold"
            findings.append(Finding("degraded", REASON_CODES["degraded"], holds=holds))
        reasons = tuple([finding for finding in findings if finding.holds])
        return Verdict(
            decision="hold" if reasons else "publish",
            reasons=reasons,
            scores=_scores(case.assessment, findings),
            html=case.page.html,
            changes=case.page.changes,
            language=case.assessment.language if case.assessment else Language(evaluated=False),
            degraded=degraded,
            model=self._model.version,
            second_opinion=case.assessment is not None and case.assessment.second_opinion,
        )


def _scores(assessment: Assessment | None, findings: Sequence[Finding]) -> dict[str, float]:
    scores = {**(assessment.scores if assessment else _NO_SCORES)}
    for finding in findings:
        if finding.score is not None:
            scores[finding.code] = finding.score
    return scores


def _as_text(comment: Comment) -> Page:
    """Where the HTML policy failed, the comment shows as it was typed."""
    return Page(html.escape(comment.content))


def _run(step: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R | None]:
    """The step's result for each item, None where it failed.

    A step that fails on a batch goes through it one by one, so that only what it trips over is
    lost. When a part of the service is away (a named error), one try is enough.
    """
    failure: Exception
    results: list[R | None]
    try:
        return [*_one_each(step, items)]
    except ModerationError as error:
        failure, results = error, [None] * len(items)
    except Exception as error:
        failure, results = error, [_alone(step, item) for item in items]
    log.error(
        "%s failed on %d of %d comments: %s",
        getattr(step, "__module__", "a step"),
        results.count(None),
        len(items),
        _where(failure),
    )
    return results


def _alone(step: Callable[[Sequence[T]], Sequence[R]], item: T) -> R | None:
    try:
        return _one_each(step, [item])[0]
    except Exception:
        return None


def _one_each(step: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> Sequence[R]:
    results = step(items)
    if len(results) != len(items):
        raise ValueError("results and items differ in number")
    return results


def _where(error: Exception) -> str:
    """The kind of error and its place. Not its message, which may quote the comment."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}"
