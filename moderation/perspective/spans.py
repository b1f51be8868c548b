"""A comment's sentences, for spanAnnotations, and where they stand as Perspective counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

# A sentence ends with its stops, and the quotes and brackets after them, or with its line. Only the
# first of a row of stops is tried: tried from each of them, a row of 20,000 would take seconds.
_END = re.compile("(?<![.!?…])[.!?…]++[\"'»”’)\\]]*+(?=\\s|$)|[。!?]++|\n")
_MOST = 100


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends, in characters. Of a text with too many of them,
    neighbours are taken together."""
    ends = [match.end() for match in _END.finditer(text)] + [len(text)]
    found = [_trimmed(text, start, end) for start, end in pairwise([0, *ends])]
    spans = [(start, end) for start, end in found if start < end] or [(0, len(text))]
    together = -(-len(spans) // _MOST)
    groups = [spans[place : place + together] for place in range(0, len(spans), together)]
    return [(group[0][0], group[-1][1]) for group in groups]


def in_utf16(text: str, places: Sequence[int]) -> list[int]:
    """Offsets in characters as offsets in UTF-16, which is how Perspective counts: a character
    beyond the first 65,536, as most emoji are, counts twice."""
    wide = [place for place, letter in enumerate(text) if letter > "\uffff"]
    return [place + sum(1 for one in wide if one < place) for place in places]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
