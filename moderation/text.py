"""What the model sees of a comment, the same for training and serving.

A comment is read into four short strings, its *segments*: the folded visible text, the author's
name, the addresses it points to, and a line of plain facts ("links2 caps0 …"). Hashed character
n-grams and words of a segment are the features; each segment has hashes and a norm of its own, so
that a long text cannot drown a link, nor a missing name count against anyone.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.folding import MAX_CHARACTERS, fold
from moderation.verdict import Comment

BODY, AUTHOR, LINKS, FACTS = range(4)
SEGMENTS = 4
READ_CHARACTERS = 4 * MAX_CHARACTERS
"""As much of a content as is looked at, markup included."""

# Their first letters stand alone, with their case: so they are looked for ten times as fast.
_TARGET = re.compile(
    r"""[hHsSſ\[](?i:(?:(?<=h)ref|(?<=s)rc)\s{0,9}=\s{0,9}["']?([^"'\s<>]{1,2000})"""
    r"""|(?<=\[)(?:url|link)=["']?([^\]"']{1,2000}))"""
)
_BARE_URL = re.compile(r"""[hHwW](?i:(?<=h)ttps?://|(?<!\w.)(?<=w)ww\.)[^\s<>"'\[\])]{1,2000}""")
_SCHEME = re.compile(r"^(?:[a-z]{2,6}:)?/{0,3}(?:www\.)?", re.IGNORECASE)
_PHONE = re.compile(r"\d[\d ().-]{7,18}\d")
_MAIL = re.compile(r"[\w.+-]@[\w-]{1,64}\.\w")
_MESSENGERS = ("whatsapp", "whats app", "telegram", "t.me/", "wa.me/")
_CAPITALS = string.ascii_uppercase.encode()
_DIGITS = string.digits.encode()


@dataclass(frozen=True, slots=True)
class Reading:
    """A comment as the model reads it: its segments, in the order BODY, AUTHOR, LINKS, FACTS."""

    segments: tuple[str, str, str, str]
    links: tuple[str, ...]


def read(comment: Comment) -> Reading:
    """Reads a comment into segments. Never fails, whatever the text holds."""
    raw = comment.content[:READ_CHARACTERS]
    name, url = comment.author.name, comment.author.url
    body = fold(raw)
    links = targets(raw)
    addresses = [*links, url[:2000]] if url else links
    places = " ".join([_SCHEME.sub("", address[:200]) for address in addresses[:20]])
    author = fold(name[:100]) if name else ""
    return Reading((body, author, places.lower(), _facts(raw, body, links)), tuple(links))


def targets(content: str) -> list[str]:
    """The addresses that a text points to: link targets first, then bare URLs, each once."""
    found: dict[str, None] = {}
    if "=" in content:
        found.update((a or b, None) for a, b in _TARGET.findall(content))
    if "www." in content or "://" in content:
        found.update((url, None) for url in _BARE_URL.findall(content))
    return list(found)


def _facts(raw: str, body: str, links: Sequence[str]) -> str:
    sample = raw[:1000].encode("utf-8", "replace")
    capitals = (len(sample) - len(sample.translate(None, _CAPITALS))) * 100 // (len(sample) + 1)
    facts = (
        f"links{bisect_right((1, 2, 3, 5, 9), len(links))}"
        f" size{bisect_right((8, 20, 50, 100, 200, 400, 800, 1600), len(body))}"
        f" capitals{bisect_right((1, 6, 15, 40), capitals)}"
        f" shouts{bisect_right((1, 2, 4, 8), body.count('!'))}"
        f" lines{bisect_right((1, 3, 8), raw.count(chr(10)))}"
    )
    if links:
        share = sum(map(len, links)) * 100 // (len(raw) + 1)
        facts += f" share{bisect_right((10, 25, 50, 80), share)}"
        if "href" in raw:
            facts += " anchor"
        if "[url" in raw or "[link" in raw:
            facts += " bbcode"
    if (_may_hold_number(body) and _PHONE.search(body)) or ("@" in body and _MAIL.search(body)):
        facts += " contact"
    if "whats" in body or "telegram" in body or "t.me/" in body or "wa.me/" in body:
        facts += " messenger" if any(map(body.__contains__, _MESSENGERS)) else ""
    if "$" in body or "€" in body or "£" in body:
        facts += " money"
    return facts


def _may_hold_number(text: str) -> bool:
    """Whether a look for a telephone number could find one: a fifth of its time."""
    if not text.isascii():
        return True
    plain = text.encode()
    return len(plain) - len(plain.translate(None, _DIGITS)) > 1
