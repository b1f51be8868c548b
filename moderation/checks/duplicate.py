"""duplicate: the same text again, whatever its case, spacing and punctuation."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case
from moderation.verdict import Finding


def judge(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
    """Hold a comment whose text came within `duplicate_window`."""
    if not cases or cases[0].history is None:
        return [()] * len(cases)
    window = cases[0].policy.duplicate_window
    before = cases[0].history.same_text([case.comment for case in cases], window)
    return [(_finding(count),) if count else () for count in before]


def _finding(count: int) -> Finding:
    times = "once" if count == 1 else f"{count} times"
    return Finding("duplicate", f"The same text was submitted {times} before.")
