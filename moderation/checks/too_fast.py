"""too_fast: the form was sent sooner after it was shown than a person can write."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.verdict import Finding


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment sent in less than `min_seconds`, where the blog tells the seconds."""
    seconds, least = case.comment.form.seconds, case.policy.min_seconds
    if seconds is None or seconds >= least:
        return ()
    return (
        Finding(
            "too_fast",
            f"The form was sent after {seconds:.3g} seconds; this site expects at least {least:g}.",
        ),
    )
