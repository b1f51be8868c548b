"""links: more links than the site allows."""

from __future__ import annotations

from collections.abc import Sequence

from moderation import lists
from moderation.checks.case import Case, per_case
from moderation.verdict import Finding


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment with more distinct links than `max_links`; trusted ones are not counted."""
    policy, limit = case.policy, case.policy.max_links
    count = sum(not lists.points_to(link, policy.trust_urls) for link in case.page.links)
    if count <= limit:
        return ()
    return (Finding("links", f"Holds {_links(count)}; this site allows {limit or 'none'}."),)


def _links(count: int) -> str:
    return "1 link" if count == 1 else f"{count} links"
