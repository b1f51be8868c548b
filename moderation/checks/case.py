"""What a check is: a function from a batch of cases to the findings on each, in the same order.

A comment is *read* twice before anybody judges it: the HTML policy makes its page, the model its
assessment. Both stand in the case, so that a check only judges, and so that the language reaches
the verdict without being squeezed through a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Protocol

from moderation.classifier import Assessment
from moderation.settings import Policy
from moderation.verdict import Comment, Finding, Page, Span


class Model(Protocol):
    """What the checks and the moderator need of a loaded model."""

    @property
    def version(self) -> str:
        """Its name, for the verdict."""
        ...

    def assess(self, comments: Sequence[Comment]) -> Sequence[Assessment]:
        """Scores and language of each comment."""
        ...

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        """What a score rests on."""
        ...

    def threshold(self, head: str, promise: float) -> float:
        """The score from which on a comment is held, so that the promise is kept."""
        ...


class History(Protocol):
    """What was submitted to this site before. One answer per comment, in the same order.

    Comments that stand earlier in the same batch count as submitted before.
    """

    def same_text(self, comments: Sequence[Comment], seconds: float) -> Sequence[int]:
        """How often each text came within the last `seconds`."""
        ...

    def by_author(self, comments: Sequence[Comment], seconds: float) -> Sequence[int]:
        """How many comments each one's author sent within the last `seconds`; 0 where the author
        cannot be told from others."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One comment and all that is known about it. A batch is of one site: one policy, one history.

    No assessment: the model failed on it. No history: nothing is known of earlier comments.
    """

    comment: Comment
    page: Page
    assessment: Assessment | None
    policy: Policy
    history: History | None = None


Check = Callable[[Sequence[Case]], Sequence[Sequence[Finding]]]


def per_case(judge: Callable[[Case], Sequence[Finding]]) -> Check:
    """Lift a judge of one case to a check."""

    @wraps(judge)
    def check(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
        return [judge(case) for case in cases]

    return check
