"""All that a model is fitted on: rows, stretches of long ones, and pieces that a teacher judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from moderation.weights import HEADS
from training import recipe
from training.corpora import Lesson, all_targets
from training.dataset import Row, key
from training.recipe import Chunk, Linear
from training.stretches import Taught, with_stretches
from training.teacher import NO_PIECES, Pieces, Teacher

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Steps(Protocol):
    """Where the progress of long work is shown."""

    def __call__(self, name: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A step of so many parts; what it gives is called with the parts done."""
        ...


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Features and targets of rows and stretches, and of pieces; `cut_from` is the place of the
    row that each piece was cut from."""

    taught: Taught
    chunks: list[Chunk]
    targets: F64
    pieces: list[Chunk]
    said: F64
    cut_from: list[int]

    def fit(
        self,
        left_out: Bools | None = None,
        *,
        pieces: bool = True,
        heads: Sequence[str] = HEADS,
        seed: int,
        report: Callable[[], None] = lambda: None,
    ) -> Linear:
        """A model of all rows but those left out; a piece weighs as much as its row."""
        taught = self.taught
        weights = recipe.corpus_weights([row.corpus for row in taught.rows], taught.trust())
        if left_out is not None:
            # a weight of nothing keeps a row out, and the features need not be cut
            weights = weights * ~left_out[taught.origin]
        table = recipe.head_weights(taught.rows, weights, self.targets)
        chunks, targets = self.chunks, self.targets
        if pieces and self.cut_from:
            chunks = [*chunks, *self.pieces]
            targets = np.vstack([targets, self.said])
            table = np.vstack([table, table[self.cut_from]])
        return recipe.fit(chunks, targets, table, heads=heads, seed=seed, report=report)


def curriculum(
    rows: Sequence[Row],
    lessons: Sequence[Lesson],
    seed: int,
    pieces: Pieces,
    report: Callable[[int], None] = lambda done: None,
) -> Curriculum:
    """Reads all rows, in this order; `report` is told how many are done."""
    taught = with_stretches(rows, lessons, seed)
    found = [(i, piece) for i, row in enumerate(rows) if (piece := pieces.get(key(row.text)))]
    cut = [replace(rows[i], text=piece.text, author="", author_url="") for i, piece in found]
    return Curriculum(
        taught,
        recipe.featurise(taught.rows, report, forget_authors=True),
        all_targets(taught.lessons),
        recipe.featurise(cut, lambda done: None),
        all_targets([Lesson(1, piece.targets()) for _, piece in found]),
        [i for i, _ in found],
    )


def asked(teacher: Teacher, rows: Sequence[Row], seed: int, steps: Steps) -> Pieces:
    """Pieces of these rows, as the teacher judges them."""
    with steps("Asking the teacher", len(rows)) as done:
        return teacher.pieces(rows, seed, done)


def fitted(
    rows: Sequence[Row],
    lessons: Sequence[Lesson],
    seed: int,
    steps: Steps,
    pieces: Pieces = NO_PIECES,
) -> Linear:
    """All heads, on these rows in this order, on stretches and on pieces of them."""
    with steps("Reading comments", len(rows)) as done:
        course = curriculum(rows, lessons, seed, pieces, done)
    with steps("Fitting", len(HEADS)) as done:
        return course.fit(seed=seed, report=lambda: done(1))
