"""Rows → features, in chunks that are small to keep: the same as the service extracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse

from moderation.features import VOID, extract
from moderation.text import Reading, read
from moderation.verdict import Comment
from training.corpora import is_ours
from training.dataset import Row

F32 = npt.NDArray[np.float32]

_CHUNK = 8_000
BATCH = 50
"""Small enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Features of some rows: CSR without the data, which are `norm` per feature."""

    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    norm: npt.NDArray[np.float16]

    def matrix(self, scale: F32) -> sparse.csr_matrix:
        """The features, scaled; shape (rows, buckets)."""
        data = self.norm.astype(np.float32) * scale[self.indices]
        shape = (len(self.indptr) - 1, len(scale))
        return sparse.csr_matrix((data, self.indices, self.indptr.astype(np.int32)), shape=shape)


def featurise(
    rows: Sequence[Row], report: Callable[[int], None], *, forget_authors: bool = False
) -> list[Chunk]:
    """Features of all rows, in chunks and in order; tells `report` how many rows are done.

    With `forget_authors`, every other row but our own is read without its author: corpora with
    spam have authors more often than those without, and to have none must not count for or
    against anyone.
    """
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    read = Parallel(return_as="generator")(delayed(_read)(p, forget_authors) for p in parts)
    chunks = []
    for part, chunk in zip(parts, read, strict=True):
        chunks.append(chunk)
        report(len(part))
    return chunks


def reading(row: Row, *, forget: bool) -> Reading:
    """The row as it is learnt from: with `forget`, without its author, but for our own seeds."""
    # of our seeds, honest and bad ones have authors alike, and of some spam nothing else tells
    return read(Comment(row.text) if forget and not is_ours(row.corpus) else row.comment())


def _read(rows: Sequence[Row], forget_authors: bool) -> Chunk:
    readings = [reading(row, forget=forget_authors and i % 2 == 1) for i, row in enumerate(rows)]
    parts = [_chunk(readings[i : i + BATCH]) for i in range(0, len(readings), BATCH)]
    lengths = np.concatenate([np.diff(part.indptr) for part in parts])
    return Chunk(
        np.concatenate([part.indices for part in parts]),
        np.concatenate(([0], np.cumsum(lengths))),
        np.concatenate([part.norm for part in parts]),
    )


def _chunk(readings: Sequence[Any]) -> Chunk:
    features = extract(readings)
    # character-major, so that a row's features stand together
    buckets = np.ascontiguousarray(features.buckets.T, np.int32)
    used = buckets != VOID
    by_character = used.sum(1)
    norm = np.repeat(features.norm, np.diff(features.bounds))
    rows = features.bounds[:: (len(features.bounds) - 1) // len(readings)]
    return Chunk(
        buckets[used],
        np.concatenate(([0], np.cumsum(by_character)))[rows],
        np.repeat(norm, by_character).astype(np.float16),
    )
