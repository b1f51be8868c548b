"""flood: one author sends more comments than a person would in that time."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case
from moderation.verdict import Finding


def judge(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
    """Hold what an author sends beyond `flood_limit` within `flood_window`."""
    if not cases or cases[0].history is None:
        return [()] * len(cases)
    policy = cases[0].policy
    before = cases[0].history.by_author([case.comment for case in cases], policy.flood_window)
    message = (
        f"The author sent more than {policy.flood_limit} comments "
        f"within {policy.flood_window:g} seconds."
    )
    return [(Finding("flood", message),) if count >= policy.flood_limit else () for count in before]
