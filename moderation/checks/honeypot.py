"""honeypot: only a program sees the hidden field, so only a program fills it in."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.verdict import Finding


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment whose hidden form field is not empty."""
    if not case.comment.form.honeypot.strip():
        return ()
    return (Finding("honeypot", "A form field that people cannot see was filled in."),)
