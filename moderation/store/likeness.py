"""Whether two texts are near-copies, as campaigns send them: a name, a number, a link exchanged.

A text is the set of its runs of five characters, once folded and with links and digits made equal.
Two are alike if they share most of them. To find those among many without comparing all, a text
leaves ten *bands*: numbers that two texts have in common by chance (MinHash, three to a band): at
60 % shared runs 91 times in 100, at 20 % 8 times. Whoever shares a band is then compared in full.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from moderation.folding import fold

_Runs = NDArray[np.uint64]

_RUN = 5
BANDS, _ROWS = 10, 3
_ALIKE = 0.6
_LONGEST = 4000  # characters; a copy shows long before
_FEW = 20  # characters that should be left without links, or they are all there is
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_DIGIT = re.compile(r"\d+")
# Powers of an odd number are as good as any odd numbers, and the same for ever: bands are stored.
_ODD = np.uint64(0x9E3779B97F4A7C15) ** np.arange(1, 2 * BANDS * _ROWS + 1, dtype=np.uint64)
_POWERS = _ODD[:_RUN]
_FACTORS, _SUMMANDS = _ODD.reshape(2, -1, 1)


def bands(content: str) -> tuple[int, ...]:
    """The numbers under which a text is found again by what is like it."""
    hashes = (_FACTORS * _runs(content) + _SUMMANDS) >> np.uint64(32)
    rows = hashes.min(axis=1).reshape(BANDS, _ROWS)
    mixed = (rows * _POWERS[:_ROWS]).sum(axis=1) ^ np.arange(BANDS, dtype=np.uint64)
    return tuple(sorted({int(band >> np.uint64(1)) for band in mixed}))


def alike(one: str, other: str) -> bool:
    """Whether the texts share most of what they are made of."""
    a, b = _runs(one), _runs(other)
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared >= _ALIKE * (len(a) + len(b) - shared)


def _runs(content: str) -> _Runs:
    folded = fold(content)[:_LONGEST]
    text = _DIGIT.sub("0", _LINK.sub("", folded)).strip()
    letters = text if len(text) >= _FEW else folded
    codes = np.frombuffer(letters.ljust(_RUN).encode("utf-32-le", "surrogatepass"), np.uint32)
    windows = np.lib.stride_tricks.sliding_window_view(codes.astype(np.uint64), _RUN)
    return np.unique((windows * _POWERS).sum(axis=1, dtype=np.uint64))
