"""html: what the HTML policy wants a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.verdict import Finding


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment whose page has problems."""
    if not case.page.problems:
        return ()
    return (Finding("html", " ".join(case.page.problems)),)
