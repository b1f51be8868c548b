"""The site's trust lists: whom the rules on rate and links are lifted for, and which words are no
sign of spam here. The block lists stand above them, and abuse is held whoever it is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import wraps

from moderation import lists
from moderation.checks.case import Case, Check
from moderation.folding import fold
from moderation.verdict import Finding


def trusted(case: Case) -> bool:
    """Whether the blog, or a list of the site, trusts the author."""
    policy, author = case.policy, case.comment.author
    return (
        author.trusted
        or lists.is_named(author.name, policy.trust_names)
        or lists.address(author.email, policy.trust_emails) is not None
        or lists.points_to(author.url, policy.trust_urls)
    )


def unless_trusted(check: Check) -> Check:
    """The check, for all but trusted authors."""

    @wraps(check)
    def lifted(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
        trusts = [trusted(case) for case in cases]
        judged = iter(check([c for c, known in zip(cases, trusts, strict=True) if not known]))
        return [() if known else next(judged) for known in trusts]

    return lifted


def unless_trusted_words(check: Check) -> Check:
    """The check, but a text with a trusted word in it is not held as spam. Its score stays."""

    @wraps(check)
    def spared(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
        return [
            [*map(_spare, found)] if found and _has_trusted_word(case) else found
            for case, found in zip(cases, check(cases), strict=True)
        ]

    return spared


def _spare(finding: Finding) -> Finding:
    return replace(finding, holds=False) if finding.code == "spam" else finding


def _has_trusted_word(case: Case) -> bool:
    pattern = lists.words(case.policy.trust_words)
    return pattern is not None and pattern.search(fold(case.comment.content)) is not None
