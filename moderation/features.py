"""From readings to hashed features: character n-grams, words and word pairs, in NumPy.

A feature is a *bucket* of a table of 2**BITS. The n-grams are polynomial rolling hashes (Karp and
Rabin, 1987) over code points, all positions of a whole batch at once; a word's hash is a
sum of its letters, each by its power. A feature weighs
GAIN / sqrt(features of its segment + FURTHER).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, cycle

import numpy as np
import numpy.typing as npt

from moderation.text import FACTS, SEGMENTS, Reading

FORMAT = 3
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
Places = npt.NDArray[np.intp]

WORDS, PAIRS = len(ORDERS), len(ORDERS) + 1
"""The rows of words and of pairs of words among the buckets; before them are those of n-grams."""
_BASE = np.uint32(0x9E3779B1)
_BASE_SQUARED = np.uint32(0x9E3779B1**2 % 2**32)
_BASE_INVERSE = np.uint32(pow(0x9E3779B1, -1, 2**32))
_SPREAD = np.array([0x85EBCA6B, 0xC2B2AE35], np.uint32)
_SPREAD_WORD, _SPREAD_PAIR = np.uint32(0xB5297A4D), np.uint32(0x68E31DA5)
_SHIFT = np.uint32(32 - BITS)
_SALT = np.arange(SEGMENTS, dtype=np.uint32) * np.uint32(0x01000193)
_PLANE = 0x10000
_ALONE = 2
_WITHOUT_BLANKS = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF))
"""Kana, ideographs and Hangul: so few characters say so much there that each is read as a word, and
two as a pair."""
_EMPTY = 4
"""Characters of an author and links that are not there: their blanks."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch of n readings, whose segments stand one after another.

    `buckets` has shape (len(ORDERS) + 2, characters): that of the n-gram of each order, of the
    word, and of the pair of words that starts at each character; VOID where none does. Words are
    at `word_at` to `word_end`. `bounds` has shape (SEGMENTS * n + 1,): where each segment starts;
    `norm` the weight of one feature of each segment.
    """

    buckets: U32
    word_at: Places
    word_end: Places
    bounds: Places
    norm: npt.NDArray[np.float32]


def extract(readings: Sequence[Reading]) -> Features:
    """Features of a batch. A reading's features don't depend on the rest of its batch."""
    # a blank on both sides makes "begins a word" and "ends a word" n-grams of their own
    texts = [f" {segment} " for reading in readings for segment in reading.segments]
    code = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = [*map(len, texts)]
    ends = [*accumulate(lengths, initial=0)]
    bounds = np.array(ends, np.intp)
    salted = _SALT.take(np.arange(len(texts)), mode="wrap").repeat(lengths)
    salted += code

    edges = _words(_kinds().take(code, mode="clip"))
    starts = edges[::2]
    before = starts.searchsorted(bounds)  # so many words stand before each bound

    buckets = np.zeros((len(ORDERS) + 2, len(code)), np.uint32)
    _put_grams(buckets, salted, ends)
    if len(edges):
        _put_words(buckets, salted, edges, before)
    buckets >>= _SHIFT
    words = (before[1:] - before[:-1]).tolist()
    norm = [*map(_norm, cycle(range(SEGMENTS)), lengths, words)]
    return Features(buckets, starts, edges[1::2], bounds, np.array(norm, np.float32))


def _put_grams(buckets: U32, salted: U32, ends: Sequence[int]) -> None:
    """The n-grams that start at each character: of three characters, and of five."""
    three, five = buckets[0], buckets[1]
    two = salted[:-1] * _BASE
    two += salted[1:]
    rolling = two[:-1] * _BASE
    rolling += salted[2:]
    np.multiply(rolling, _SPREAD[0], out=three[:-2])
    rolling = rolling[:-2] * _BASE_SQUARED
    rolling += two[3:]
    np.multiply(rolling, _SPREAD[1], out=five[:-4])
    # an n-gram that would reach into the next segment is none; facts are words only
    for first in range(0, len(ends) - 1, SEGMENTS):
        begin, body, author, links, facts = ends[first : first + 1 + SEGMENTS]
        if links - body > _EMPTY:
            for end in (body, author):
                three[end - 2 : end] = five[max(end - 4, begin) : end] = VOID
            body = links
        three[body - 2 : facts] = five[max(body - 4, begin) : facts] = VOID


def _put_words(buckets: U32, salted: U32, edges: Places, before: Places) -> None:
    """The words, and the pairs of each with the next one."""
    starts = edges[::2]
    power, inverse = _powers(len(salted))
    word = np.add.reduceat(salted * power, edges, dtype=np.uint32)[::2]
    word *= inverse.take(starts)
    pair = word[:-1] * _BASE
    pair += word[1:]
    pair *= _SPREAD_PAIR
    word *= _SPREAD_WORD
    buckets[WORDS][starts] = word
    pairs = buckets[PAIRS]
    pairs[starts[:-1]] = pair
    # the last word of a segment has no next one; where a segment has none, it is one before
    pairs[starts.take(before[1:] - 1)] = VOID


def _words(kinds: npt.NDArray[np.uint8]) -> Places:
    """Where words start and stop, in turns: runs of letters, and characters that are words."""
    edge = kinds[1:] != kinds[:-1]
    if alone := bool(kinds.max() == _ALONE):
        edge |= kinds[1:] == _ALONE
    edges: Places = edge.nonzero()[0]
    edges += 1
    if not alone:  # then words and what is between them take turns
        return edges
    of_word = kinds.take(edges[:-1]) > 0
    return np.stack((edges[:-1][of_word], edges[1:][of_word]), axis=1).ravel()


@lru_cache(1 << 14)
def _norm(segment: int, length: int, words: int) -> float:
    """The weight of one feature of a segment of so many characters, blanks included, and words."""
    grams = sum(max(length - order + 1, 0) for order in ORDERS) if segment != FACTS else 0
    count = max(words + max(words - 1, 0) + grams, 1)  # in the middle, the pairs
    return float(GAIN[segment] / np.sqrt(count + FURTHER[segment], dtype=np.float32))


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """For every code point of the first plane, and one for all others: 0 where it is in no word,
    1 where it is a letter of one, _ALONE where it is a word."""
    kinds = np.array([*map(str.isalnum, map(chr, range(_PLANE))), True], np.uint8)
    for first, last in _WITHOUT_BLANKS:
        kinds[first : last + 1] *= _ALONE
    return kinds


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
