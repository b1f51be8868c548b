"""html: what the HTML policy wants a person to look at, and comments of which nothing shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.folding import BLANK, INVISIBLE
from moderation.verdict import Finding

# Possessive: each blank is read once.
_SHOWN = re.compile(
    rf"(?:^|>)(?:&nbsp;|\s|{BLANK.pattern}|{INVISIBLE.pattern})*+[^<]|<img", re.IGNORECASE
)


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment whose page has problems, or shows nothing."""
    if case.page.problems:
        return (Finding("html", " ".join(case.page.problems)),)
    # some faces send none: of a sign-up, say
    if case.comment.content and not _SHOWN.search(case.page.html):
        return (Finding("html", "Nothing of it would show: it is blank, or all was taken out."),)
    return ()
