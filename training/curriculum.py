"""All that a model is fitted on: rows, stretches of long ones, and pieces that a teacher judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from moderation.weights import HEADS
from training import recipe
from training.corpora import Lesson, all_targets
from training.dataset import Row, key
from training.featurising import Chunk, featurise
from training.progress import Steps
from training.recipe import Linear
from training.stretches import Taught, with_stretches
from training.teacher import NO_PIECES, Pieces

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Features and targets of rows and stretches, and of pieces; `cut_from` is the place of the
    row that each piece was cut from."""

    taught: Taught
    weights: F64
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
        weights = self.weights
        if left_out is not None:
            # a weight of nothing keeps a row out, and the features need not be cut
            weights = weights * ~left_out[self.taught.origin]
        table = recipe.head_weights(self.taught.rows, weights, self.targets)
        chunks, targets = self.chunks, self.targets
        if pieces and self.cut_from:
            chunks = [*chunks, *self.pieces]
            targets = np.vstack([targets, self.said])
            table = np.vstack([table, table[self.cut_from]])
        return recipe.fit(chunks, targets, table, heads=heads, seed=seed, report=report)


def curriculum(
    taught: Taught, pieces: Pieces, report: Callable[[int], None] = lambda done: None
) -> Curriculum:
    """Reads all rows and stretches, in this order; `report` is told how many are done."""
    found = [
        (place, piece)
        for place, (row, origin) in enumerate(zip(taught.rows, taught.origin, strict=True))
        if place == origin and (piece := pieces.get(key(row.text)))
    ]
    cut = [replace(taught.rows[i], text=p.text, author="", author_url="") for i, p in found]
    return Curriculum(
        taught,
        recipe.corpus_weights([row.corpus for row in taught.rows], taught.trust()),
        featurise(taught.rows, report, forget_authors=True),
        all_targets(taught.lessons),
        featurise(cut, lambda done: None),
        all_targets([Lesson(1, piece.targets()) for _, piece in found]),
        [i for i, _ in found],
    )


def fitted(
    rows: Sequence[Row],
    lessons: Sequence[Lesson],
    seed: int,
    steps: Steps,
    pieces: Pieces = NO_PIECES,
) -> Linear:
    """All heads, on these rows in this order, on stretches and on pieces of them."""
    taught = with_stretches(rows, lessons, seed)
    with steps("Reading comments", len(taught.rows)) as done:
        course = curriculum(taught, pieces, done)
    with steps("Fitting", len(HEADS)) as done:
        return course.fit(seed=seed, report=lambda: done(1))
