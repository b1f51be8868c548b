"""The table of weights: from hashed features to margins, and what each character carries of one.

A head is a linear model over hashed features (features.py): its *margin*, the log-odds before
calibration, is the bias plus the sum of the weights of the text's features. So that harmless words
around it cannot drown what a text says, the *stretch* of a long text that speaks most for a head
stands for the whole where it speaks more than the whole does, less a toll: the best of many
stretches is something in any text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.features import FURTHER, GAIN, VOID, Features
from moderation.text import BODY, SEGMENTS

HEADS = ("spam", "toxicity", "hate", "insult", "threat", "identity_attack", "profanity", "sexual")
"""The columns of the table of weights."""

F32 = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
_STRETCHES = (160, 480)
"""Characters; those of one length begin half a length apart."""
# With corpora left out, 1,000 harmless words around it let 97 % of caught spam and 99 % of caught
# abuse pass. The lower the toll, the fewer pass, and the more honest long texts are held.
_TOLL = np.float32(1.0)
_KEPT = 1 << 24
"""Bytes that the C library keeps for the next batch: what it gives back to the system comes again
in fresh pages, and those take as long as the scores."""


class Weights:
    """Weights of all heads. Immutable and safe to share between threads."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """`arrays`: `weights` int8 (buckets, heads), `scale` and `bias` float32 (heads,)."""
        # One bucket's weights for all heads are eight bytes: one gather fetches them together.
        # A plain array: whatever is taken from a mapped one is of its class, and slower to handle.
        self._table: npt.NDArray[np.uint64] = np.asarray(arrays["weights"].view(np.uint64).ravel())
        np.empty(_KEPT, np.uint8)  # glibc goes by the largest block that was ever let go
        self._scale: F32 = arrays["scale"]
        self._bias: F32 = arrays["bias"]

    def arrays(self) -> tuple[npt.NDArray[np.int8], F32, F32]:
        """Weights (buckets, heads), scale (heads,) and bias (heads,), to train on from here."""
        return self._table.view(np.int8).reshape(-1, len(HEADS)), self._scale, self._bias

    def margins(self, features: Features) -> F32:
        """Log-odds before calibration, shape (readings, heads)."""
        sums = self._running_sums(features)
        whole = sums.take(features.bounds, axis=0)
        parts = (whole[1:] - whole[:-1]) * features.norm[:, None]
        segments = parts.reshape(-1, SEGMENTS, len(HEADS))
        body = segments[:, BODY] * self._scale
        for length in _STRETCHES:
            reading, start = _stretches(features, length)
            if len(reading):
                said = (sums.take(start + length, axis=0) - sums.take(start, axis=0)) * self._scale
                said *= _norms(features, length)[reading][:, None]
                first = np.flatnonzero(np.diff(reading, prepend=-1))
                most = np.maximum.reduceat(said, first, axis=0) - _TOLL
                long = reading[first]
                body[long] = np.maximum(body[long], most)
        rest = segments[:, BODY + 1 :].sum(1) * self._scale
        margins: F32 = (body + rest + self._bias).astype(np.float32)
        return margins

    def carried(self, features: Features, column: int) -> npt.NDArray[np.float64]:
        """What each character of the body carries of the margin of the only reading: a feature's
        weight is laid evenly over its characters."""
        begin, end, norm = self._decisive(features, column)
        stop = int(features.bounds[BODY + 1])
        slope = np.zeros(stop + 1)

        def lay(start: Places, until: Places, buckets: npt.NDArray[np.uint32]) -> None:
            inside = (start >= begin) & (start < end) & (until <= stop) & (buckets != VOID)
            rows = self._table.take(buckets[inside]).view(np.int8).reshape(-1, len(HEADS))
            share = rows[:, column] / (until - start)[inside]
            np.add.at(slope, start[inside], share)
            np.subtract.at(slope, until[inside], share)

        here = np.arange(features.grams.shape[1])
        for order, buckets in zip(features.orders, features.grams, strict=True):
            lay(here, here + order, buckets)
        lay(features.word_at, features.word_end, features.words)
        lay(features.pair_at, features.pair_end, features.pairs)
        return np.cumsum(slope)[:stop] * float(norm * self._scale[column])

    def decisive(self, features: Features, column: int) -> tuple[int, int]:
        """Where the characters of the only body that stand for it start and stop."""
        start, stop, _ = self._decisive(features, column)
        return start, stop

    def _decisive(self, features: Features, column: int) -> tuple[int, int, np.float32]:
        """The characters of the body that stand for it, and the weight of one feature of them."""
        sums = self._running_sums(features)[:, column] * self._scale[column]
        begin, end = (int(place) for place in features.bounds[BODY : BODY + 2])
        norm = features.norm[BODY]
        found = [((sums[end] - sums[begin]) * norm, begin, end, norm)]
        for length in _STRETCHES:
            _, start = _stretches(features, length)
            norms = _norms(features, length)
            found += [
                ((sums[at + length] - sums[at]) * norms[0] - _TOLL, at, at + length, norms[0])
                for at in start.tolist()
            ]
        _, begin, end, norm = max(found)
        return begin, end, norm

    def _running_sums(self, features: Features) -> npt.NDArray[np.int32]:
        """The sum of the weights of all that starts before each character."""
        orders, size = features.grams.shape
        # whole rows are moved as one number each, which is several times as fast
        rows = np.zeros((orders + 2, size), np.uint64)
        self._table.take(features.grams, out=rows[:orders], mode="clip")
        rows[orders][features.word_at] = self._table.take(features.words)
        rows[orders + 1][features.pair_at] = self._table.take(features.pairs)
        weights = rows.view(np.int8).reshape(orders + 2, size, len(HEADS))
        sums = np.zeros((size + 1, len(HEADS)), np.int32)
        np.add.reduce(weights, dtype=np.int16).cumsum(0, np.int32, sums[1:])
        return sums


def _stretches(features: Features, length: int) -> tuple[Places, Places]:
    """The stretches of bodies longer than this: which reading each is of, and where it starts."""
    begin = features.bounds[BODY:-1:SEGMENTS]
    room = features.bounds[BODY + 1 :: SEGMENTS] - begin - length
    step = length // 2
    count = np.where(room > 0, -(-room // step) + 1, 0)
    reading = np.arange(len(begin)).repeat(count)
    number = np.arange(len(reading)) - (count.cumsum() - count).take(reading)
    return reading, begin.take(reading) + np.minimum(number * step, room.take(reading))


def _norms(features: Features, length: int) -> F32:
    """For each reading the weight of one feature of a stretch, which has its share of them."""
    size = features.bounds[BODY + 1 :: SEGMENTS] - features.bounds[BODY:-1:SEGMENTS]
    count = (GAIN[BODY] / features.norm[BODY::SEGMENTS]) ** 2 - FURTHER[BODY]
    norms: F32 = GAIN[BODY] / np.sqrt(count * (length / size) + FURTHER[BODY], dtype=np.float32)
    return norms
