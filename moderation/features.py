"""From readings to hashed features: character n-grams, words and word pairs, in NumPy.

A feature is a *bucket* of a table of 2**BITS. The n-grams are polynomial rolling hashes (Karp and
Rabin, 1987) over code points, all positions of a whole batch at once; a word's hash is a
difference of prefix sums. A feature weighs GAIN[segment] / sqrt(features of its segment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from moderation.text import FACTS, MAX_CHARACTERS, SEGMENTS, Reading

FORMAT = 1
"""Raise it when the same text would get other buckets: older models are then refused."""
BITS = 20
ORDERS = (3, 5)
GAIN = np.array([1.0, 0.5, 0.5, 0.35], np.float32)
VOID = 0
"""The bucket of no feature; its weights are zero."""

U32 = npt.NDArray[np.uint32]

_BASE = np.uint32(0x9E3779B1)
_BASE_INVERSE = np.uint32(pow(0x9E3779B1, -1, 2**32))
_SPREAD = np.array([[0x85EBCA6B], [0xC2B2AE35]], np.uint32)
_SPREAD_WORD, _SPREAD_PAIR = np.uint32(0xB5297A4D), np.uint32(0x68E31DA5)
_SHIFT = np.uint32(32 - BITS)
_SALT = np.arange(SEGMENTS, dtype=np.uint32) * np.uint32(0x01000193)
_PLANE = 0x10000


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch of n readings, whose segments stand one after another.

    `grams` has shape (len(ORDERS), characters): the bucket of the n-gram that starts at each
    character, or VOID. `words` and `pairs` are buckets, at the characters `word_at`, `pair_at`.
    `bounds` has shape (SEGMENTS * n + 1,): where each segment starts; `norm` the weight of one
    feature of each segment.
    """

    grams: U32
    words: U32
    word_at: npt.NDArray[np.intp]
    word_end: npt.NDArray[np.intp]
    pairs: U32
    pair_at: npt.NDArray[np.intp]
    pair_end: npt.NDArray[np.intp]
    bounds: npt.NDArray[np.intp]
    norm: npt.NDArray[np.float32]
    orders: tuple[int, ...] = ORDERS


def extract(readings: Sequence[Reading]) -> Features:
    """Features of a batch. A reading's features don't depend on the rest of its batch."""
    # a blank on both sides makes "begins a word" and "ends a word" n-grams of their own
    texts = [f" {segment} " for reading in readings for segment in reading.segments]
    code = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    size = len(code)
    number = np.arange(len(texts))
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    bounds = np.zeros(len(texts) + 1, np.intp)
    lengths.cumsum(out=bounds[1:])
    local = np.arange(size) - bounds[:-1].repeat(lengths)

    salted = code + _SALT.take(number, mode="wrap").repeat(lengths)
    grams = np.empty((len(ORDERS), size), np.uint32)
    rolling = salted
    for order in range(2, ORDERS[-1] + 1):
        rolling = rolling[:-1] * _BASE
        rolling += salted[order - 1 :]
        if order in ORDERS:
            grams[ORDERS.index(order), : len(rolling)] = rolling
    grams *= _SPREAD
    grams >>= _SHIFT
    # an n-gram that would reach into the next segment is none; facts are words only
    room = lengths.copy()
    room[FACTS::SEGMENTS] = 0
    grams *= room.repeat(lengths) - local >= _orders()

    letter = _letters().take(code, mode="clip")
    edges = (letter[1:] != letter[:-1]).nonzero()[0] + 1
    starts, stops = edges[::2], edges[1::2]
    power, inverse = _powers()
    prefix = np.zeros(size + 1, np.uint32)
    (salted * power.take(local)).cumsum(dtype=np.uint32, out=prefix[1:])
    word = (prefix.take(stops) - prefix.take(starts)) * inverse.take(local.take(starts))
    words = np.bincount(number.repeat(lengths).take(starts), minlength=len(texts))
    segment = number.repeat(words)
    first = (segment[1:] == segment[:-1]).nonzero()[0]
    pair = word.take(first) * _BASE + word.take(first + 1)

    count = words + np.maximum(words - 1, 0)
    count += np.maximum(room - _orders() + 1, 0).sum(0)
    root = np.sqrt(np.maximum(count, 1), dtype=np.float32)
    norm = np.divide(GAIN.take(number, mode="wrap"), root, dtype=np.float32)
    return Features(
        grams,
        word * _SPREAD_WORD >> _SHIFT,
        starts,
        stops,
        pair * _SPREAD_PAIR >> _SHIFT,
        starts.take(first),
        stops.take(first + 1),
        bounds,
        norm,
    )


@cache
def _orders() -> npt.NDArray[np.intp]:
    return np.array(ORDERS, np.intp)[:, None]


@cache
def _letters() -> npt.NDArray[np.bool_]:
    """For every code point of the first plane, and one for all others, whether it is in words."""
    return np.array([chr(point).isalnum() for point in range(_PLANE)] + [True])


@cache
def _powers() -> tuple[U32, U32]:
    size = MAX_CHARACTERS + 2
    powers = np.ones((2, size), np.uint32)
    powers[:, 1:] = [[_BASE], [_BASE_INVERSE]]
    np.multiply.accumulate(powers, axis=1, out=powers)
    return powers[0], powers[1]
