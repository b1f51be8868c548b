"""blocklist: words, names, addresses and links that the site has blocked, each in its own field.

Rules are per field because "free" may be spam in a name and is innocent in a text; they match whole
words because "cialis" must not hold a "specialist".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from moderation import lists
from moderation.checks.case import Case, per_case
from moderation.folding import fold
from moderation.verdict import Finding, Span

# Tags that part words for a reader; all others are invisible, so "ci<b></b>alis" is one word.
_BREAKING_TAG = re.compile(r"</?(?:p|br|li|ul|ol|pre|blockquote|h[1-6]|hr)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_SHOWN = 50
"""Places of a blocked word that a verdict names."""


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment that holds something blocked, and say what and where."""
    return tuple(_findings(case))


def _findings(case: Case) -> Iterator[Finding]:
    policy, author = case.policy, case.comment.author
    if pattern := lists.words(policy.block_words):
        yield from _in_text(case, pattern)
    if pattern := lists.words(policy.block_names):
        for found in pattern.findall(lists.plain(author.name))[:1]:
            yield _finding("The name", found)
    if author.email and (found := lists.address(author.email, policy.block_emails)):
        yield _finding("The e-mail address", found)
    if pattern := lists.urls(policy.block_urls):
        yield from _in_links(case, pattern)


def _in_text(case: Case, pattern: re.Pattern[str]) -> Iterator[Finding]:
    """As it was typed, with the places; or else as a reader would see it, where tags, invisible
    characters and look-alike forms no longer hide a word."""
    if typed := _spans(pattern, case.comment.content):
        yield _finding("The text", typed[0].text, typed)
    elif seen := pattern.search(lists.plain(_visible(case.page.html))) or pattern.search(
        fold(case.comment.content)
    ):
        yield _finding("The text", seen.group())


def _in_links(case: Case, pattern: re.Pattern[str]) -> Iterator[Finding]:
    if typed := _spans(pattern, case.comment.content):
        yield _finding("The text", typed[0].text, typed)
    elif seen := pattern.search("\n".join(case.page.links)):
        yield _finding("A link", seen.group())
    if own := pattern.search(case.comment.author.url):
        yield _finding("The author's link", own.group())


def _finding(where: str, found: str, spans: tuple[Span, ...] = ()) -> Finding:
    return Finding("blocklist", f'{where} holds "{found}", which this site blocks.', spans=spans)


def _spans(pattern: re.Pattern[str], content: str) -> tuple[Span, ...]:
    found = islice(pattern.finditer(content), _SHOWN)
    return tuple(Span(*m.span(), m.group(), 0.0) for m in found)


def _visible(page_html: str) -> str:
    return html.unescape(_TAG.sub("", _BREAKING_TAG.sub(" ", page_html)))
