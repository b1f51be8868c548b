"""The table of weights: from hashed features to margins, and what each character carries of one.

A head is a linear model over hashed features (features.py): its *margin*, the log-odds before
calibration, is the bias plus the sum of the weights of the text's features. So that harmless words
around it cannot drown what a text says, the *stretch* of a long text that speaks most for a head
stands for the whole where it speaks more than the whole does, less a toll: the best of many
stretches is something in any text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.features import FURTHER, GAIN, ORDERS, PAIRS, VOID, WORDS, Features
from moderation.text import BODY, SEGMENTS

HEADS = ("spam", "toxicity", "hate", "insult", "threat", "identity_attack", "profanity", "sexual")
"""The columns of the table of weights."""

F32 = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
_STRETCHES = (160, 480)
"""Characters; those of one length begin half a length apart, and the last one ends the text."""
# With corpora left out, 1,000 harmless words around it let 97 % of caught spam and 99 % of caught
# abuse pass. The lower the toll, the fewer pass, and the more honest long texts are held.
_TOLL = 1.0
_GAIN, _FURTHER = float(GAIN[BODY]), int(FURTHER[BODY])
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
        # in the shape and kind of one comment's sums: others take twice as long to multiply
        self._slope = self._scale.astype(np.float64).reshape(1, -1)
        self._offset = self._bias.astype(np.float64).reshape(1, -1)
        self._toll = _TOLL / self._slope

    def arrays(self) -> tuple[npt.NDArray[np.int8], F32, F32]:
        """Weights (buckets, heads), scale (heads,) and bias (heads,), to train on from here."""
        return self._table.view(np.int8).reshape(-1, len(HEADS)), self._scale, self._bias

    def margins(self, features: Features) -> F32:
        """Log-odds before calibration, shape (readings, heads)."""
        places = _Places(features)
        sums = self._sums(features, places.cuts)
        whole = sums.take(places.bounds, axis=0)
        said = (whole[1:] - whole[:-1]).reshape(-1, SEGMENTS, len(HEADS))
        said *= features.norm.reshape(-1, SEGMENTS, 1)
        margins = np.add.reduce(said, axis=1)
        if places.long:
            most = sums.take(places.stop, axis=0)
            most -= sums.take(places.start, axis=0)
            most *= np.array(places.norm)[:, None]
            best = np.maximum.reduceat(most, places.first)
            best -= self._toll
            best -= said.take(places.long, axis=0)[:, BODY]
            margins[places.long] += np.maximum(best, 0)
        margins *= self._slope
        margins += self._offset
        rounded: F32 = margins.astype(np.float32)
        return rounded

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

        here = np.arange(features.buckets.shape[1])
        for order, buckets in zip(ORDERS, features.buckets, strict=False):
            lay(here, here + order, buckets)
        start, until = features.word_at, features.word_end
        lay(start, until, features.buckets[WORDS, start])
        lay(start[:-1], until[1:], features.buckets[PAIRS, start[:-1]])
        return np.cumsum(slope)[:stop] * float(norm * self._scale[column])

    def decisive(self, features: Features, column: int) -> tuple[int, int]:
        """Where the characters of the only body that stand for it start and stop."""
        start, stop, _ = self._decisive(features, column)
        return start, stop

    def _decisive(self, features: Features, column: int) -> tuple[int, int, float]:
        """The characters of the body that stand for it, and the weight of one feature of them."""
        places = _Places(features)
        said = self._sums(features, places.cuts)[:, column] * self._scale[column]
        begin, end = places.bounds[BODY : BODY + 2]
        norm = float(features.norm[BODY])
        found = [((said[end] - said[begin]) * norm, begin, end, norm)]
        for start, stop, weight in zip(places.start, places.stop, places.norm, strict=True):
            found.append(((said[stop] - said[start]) * weight - _TOLL, start, stop, weight))
        _, begin, end, norm = max(found)
        return places.cuts[begin], places.cuts[end], norm

    def _sums(self, features: Features, cuts: Sequence[int]) -> npt.NDArray[np.float64]:
        """The sum of the weights of all that starts before each cut; the first is 0."""
        # whole rows are moved as one number each, which is several times as fast
        rows = self._table.take(features.buckets).view(np.int8)
        weights = rows.reshape(*features.buckets.shape, len(HEADS))
        said = np.add.reduce(weights, dtype=np.int16)
        sums = np.zeros((len(cuts), len(HEADS)))
        np.add.reduceat(said, cuts[:-1], dtype=np.float64).cumsum(0, out=sums[1:])
        return sums


class _Places:
    """Where the sums of a batch are asked for.

    `cuts` are characters: the `bounds` of its segments, and the ends of the stretches of `long`
    bodies. Bounds, and `start` and `stop` of each stretch, are numbers of cuts; `norm` is the
    weight of one feature of the stretch, and `first` the number of a body's first stretch.
    """

    def __init__(self, features: Features) -> None:
        bounds = features.bounds.tolist()
        self.cuts: list[int] = []
        self.bounds: list[int] = []
        self.start: list[int] = []
        self.stop: list[int] = []
        self.norm: list[float] = []
        self.first: list[int] = []
        self.long: list[int] = []
        for number in range(0, len(bounds) - 1, SEGMENTS):
            begin, size = bounds[number], bounds[number + 1] - bounds[number]
            self.bounds.append(len(self.cuts))
            if size > _STRETCHES[0]:
                self.long.append(number // SEGMENTS)
                self._cut(begin, size, float(features.norm[number + BODY]))
            else:
                self.cuts.append(begin)
            self.bounds += range(len(self.cuts), len(self.cuts) + SEGMENTS - 1)
            self.cuts += bounds[number + 1 : number + SEGMENTS]
        self.bounds.append(len(self.cuts))
        self.cuts.append(bounds[-1])

    def _cut(self, begin: int, size: int, norm: float) -> None:
        here = len(self.cuts)
        cuts, stretches = _stretches(size)
        self.first.append(len(self.start))
        self.cuts += [begin + cut for cut in cuts]
        # a stretch has its share of the features
        count = (_GAIN / norm) ** 2 - _FURTHER
        for length, start, stop in stretches:
            weight = _GAIN / math.sqrt(count * (length / size) + _FURTHER)
            self.start += [here + place for place in start]
            self.stop += [here + place for place in stop]
            self.norm += [weight] * len(start)


@lru_cache(1024)
def _stretches(size: int) -> tuple[list[int], list[tuple[int, list[int], list[int]]]]:
    """Where a body of so many characters is cut; and by number of cut, where the stretches of each
    length start and stop. The body's own end is the next cut."""
    starts = {
        length: [*range(0, size - length, length // 2), size - length]
        for length in _STRETCHES
        if length < size
    }
    ends = {at + length for length, places in starts.items() for at in places}
    cuts = sorted({*ends, *(at for places in starts.values() for at in places)})
    number = {cut: place for place, cut in enumerate(cuts)}
    stretches = [
        (length, [number[at] for at in places], [number[at + length] for at in places])
        for length, places in starts.items()
    ]
    return cuts[:-1], stretches
