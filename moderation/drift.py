"""How far a distribution of scores has moved from the one it is held against."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

EDGES = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
"""Bins of a calibrated score: narrow where most comments are, and where holding is decided."""

FEWEST = 100
"""Comments below which a distribution is mostly chance."""


def counted(scores: Iterable[float]) -> list[int]:
    """How many scores fall into each bin."""
    counts = [0] * (len(EDGES) + 1)
    for score in scores:
        counts[bisect_right(EDGES, score)] += 1
    return counts


def bins() -> list[str]:
    """What to write under each."""
    bounds = (0.0, *EDGES, 1.0)
    return [f"{low:g} – {high:g}" for low, high in pairwise(bounds)]


def stability_index(reference: Sequence[int], now: Sequence[int]) -> float | None:
    """The population stability index; None where there is too little to tell. By custom, less than
    0.1 is no change to speak of, and more than 0.25 is one to look into."""
    if min(sum(reference), sum(now)) < FEWEST:
        return None
    index = 0.0
    for before, after in zip(reference, now, strict=True):
        # half a comment in each bin, so that an empty one is no infinity
        was = (before + 0.5) / (sum(reference) + 0.5 * len(reference))
        has = (after + 0.5) / (sum(now) + 0.5 * len(now))
        index += (has - was) * math.log(has / was)
    return index
