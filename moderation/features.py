"""From readings to hashed features: character n-grams, words and word pairs, in NumPy.

A feature is a *bucket* of a table of 2**BITS. The n-grams are polynomial rolling hashes (Karp and
Rabin, 1987) over code points, all positions of a whole batch at once; a word's hash is a
difference of prefix sums. A feature weighs GAIN / sqrt(features of its segment + FURTHER).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from moderation.text import FACTS, SEGMENTS, Reading

FORMAT = 2
"""Raise it when the same text would get other buckets: older models are then refused."""
BITS = 20
ORDERS = (3, 5)
GAIN = np.array([1.14, 0.5, 0.5, 0.35], np.float32)
FURTHER = np.array([60, 0, 0, 0])
"""Features that each segment is taken to have beside its own, which say nothing: of a comment of
three words none weighs so much that it decides alone."""
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
_OVERHANGS = np.array([(n, k) for n, order in enumerate(ORDERS) for k in range(1, order)])
"""The n-grams that reach over the end of a text: row, and how far before the end they start."""
_BESIDE = np.array(ORDERS)[:, None] - 1
"""So many fewer n-grams than characters has a text."""


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
    bounds = np.fromiter(accumulate(map(len, texts), initial=0), np.intp, len(texts) + 1)
    lengths = bounds[1:] - bounds[:-1]
    salted = _SALT.take(np.arange(len(texts)), mode="wrap").repeat(lengths)
    salted += code

    starts, stops = _words(code)
    power, inverse = _powers(len(code))
    prefix = np.zeros(len(code) + 1, np.uint32)
    (salted * power).cumsum(dtype=np.uint32, out=prefix[1:])
    word = prefix.take(stops)
    word -= prefix.take(starts)
    word *= inverse.take(starts)

    # a pair is any word but the last of its segment, with the next one
    word_bounds = starts.searchsorted(bounds)
    words = word_bounds[1:] - word_bounds[:-1]
    paired = np.ones(len(word) + 1, bool)
    paired[word_bounds[1:] - 1] = False  # that of no word is the one too many
    first = paired[:-1].nonzero()[0]
    pair = word.take(first)
    pair *= _BASE
    pair += word.take(first + 1)

    return Features(
        _grams(salted, bounds),
        word * _SPREAD_WORD >> _SHIFT,
        starts,
        stops,
        pair * _SPREAD_PAIR >> _SHIFT,
        starts.take(first),
        stops.take(first + 1),
        bounds,
        _norm(lengths, words),
    )


def _grams(salted: U32, bounds: npt.NDArray[np.intp]) -> U32:
    """The buckets of the n-grams that start at each character."""
    grams = np.zeros((len(ORDERS), len(salted)), np.uint32)
    rolling = salted
    for order in range(2, ORDERS[-1] + 1):
        rolling = rolling[:-1] * _BASE
        rolling += salted[order - 1 :]
        if order in ORDERS:
            grams[ORDERS.index(order), : len(rolling)] = rolling
    grams *= _SPREAD
    grams >>= _SHIFT
    # an n-gram that would reach into the next segment is none; facts are words only
    row, before = _OVERHANGS.T[..., None]
    grams[row, bounds[1:] - before] = VOID
    facts = bounds[FACTS:].tolist()
    for start, stop in zip(facts[::SEGMENTS], facts[1::SEGMENTS], strict=True):
        grams[:, start:stop] = VOID
    return grams


def _words(code: U32) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where each word starts and where it stops."""
    letter = _letters().take(code, mode="clip")
    edges = (letter[1:] != letter[:-1]).nonzero()[0]
    edges += 1
    return edges[::2], edges[1::2]


def _norm(lengths: npt.NDArray[np.intp], words: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """The weight of one feature of each segment."""
    grams = np.maximum(lengths - _BESIDE, 0).sum(0)
    grams[FACTS::SEGMENTS] = 0
    count = words + np.maximum(words - 1, 0) + grams  # in the middle, the pairs
    count = np.maximum(count, 1).reshape(-1, SEGMENTS) + FURTHER
    norm: npt.NDArray[np.float32] = GAIN / np.sqrt(count, dtype=np.float32)
    return norm.ravel()


@cache
def _letters() -> npt.NDArray[np.bool_]:
    """For every code point of the first plane, and one for all others, whether it is in words."""
    known = bytes(map(str.isalnum, map(chr, range(_PLANE))))
    return np.frombuffer(known + b"\x01", np.bool_)


def _powers(size: int) -> tuple[U32, U32]:
    """Powers of the base, and of its inverse, so that a word has one hash wherever it stands."""
    powers = _powers_of_two(size.bit_length())
    return powers[0, :size], powers[1]


@cache
def _powers_of_two(bits: int) -> U32:
    powers = np.ones((2, 1 << bits), np.uint32)
    powers[:, 1:] = [[_BASE], [_BASE_INVERSE]]
    np.multiply.accumulate(powers, axis=1, out=powers)
    return powers
