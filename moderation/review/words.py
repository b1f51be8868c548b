"""What the queue page says and shows of a comment, as plain values for its templates."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from moderation.store.stored import Label, ReviewDecision, Status
from moderation.verdict import Finding

# The buttons: their name in a form, what they decide, what they teach.
ACTS: dict[str, tuple[ReviewDecision, Label | None]] = {
    "publish": ("publish", "ok"),
    "spam": ("reject", "spam"),
    "abuse": ("reject", "abuse"),
    "undo": ("undo", None),
}
_STATUSES: tuple[Status, ...] = ("published", "held", "rejected")


def segments(content: str, reasons: Sequence[Finding]) -> list[tuple[str, str]]:
    """The content in pieces, each with the codes of the reasons that rest on it, "" for none."""
    cuts: dict[int, Counter[str]] = {0: Counter(), len(content): Counter()}
    for reason in reasons:
        for span in reason.spans:
            if span.start < min(span.end, len(content)):
                cuts.setdefault(span.start, Counter())[reason.code] += 1
                cuts.setdefault(min(span.end, len(content)), Counter())[reason.code] -= 1
    open_: Counter[str] = Counter()
    pieces: list[tuple[str, str]] = []
    for start, end in pairwise(sorted(cuts)):
        open_.update(cuts[start])
        codes = sorted(code for code, count in open_.items() if count)
        pieces.append((content[start:end], " ".join(codes)))
    return pieces


def raw_pieces(content: str) -> list[tuple[str, bool]]:
    """The content as it was typed, in pieces; those that are True name a character that nobody
    can see."""
    pieces: list[tuple[str, bool]] = []
    plain = ""
    for letter in content:
        if unicodedata.category(letter) in ("Cf", "Cc", "Co", "Cn") and letter not in "\n\t":
            pieces += [(plain, False), (f"U+{ord(letter):04X}", True)]
            plain = ""
        else:
            plain += letter
    return [piece for piece in (*pieces, (plain, False)) if piece[0]]


def web_address(url: str) -> str:
    """The address if a browser may follow it: "javascript:" and the like are none."""
    try:
        return url if urlsplit(url.strip()).scheme.lower() in ("http", "https") else ""
    except ValueError:
        return ""


def excerpt(content: str, longest: int = 80) -> str:
    """The beginning, in one line."""
    words = " ".join(content[: longest * 4].split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def said(decision: ReviewDecision, label: Label | None) -> str:
    """A review in words."""
    if decision == "undo":
        return "Taken back"
    if decision == "publish":
        return "Published" if label else "Published without teaching"
    return f"Rejected as {label}" if label else "Rejected without teaching"


def tally(counts: Mapping[Status, int]) -> str:
    """How many of which status, as "3 published, 1 held"."""
    return ", ".join(f"{counts[status]:,} {status}" for status in _STATUSES if counts.get(status))
