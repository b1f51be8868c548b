"""Stretches of long honest comments, as honest rows of their own.

The service takes the stretch of a long text that speaks most for a head (moderation/weights.py).
A model that was taught on whole texts alone knows no stretches. What these rows add was not
measured apart from the new seeds that came with them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.corpora import Lesson
from training.dataset import Row

_LONG = 400
_SHORT_STRETCH, _LONG_STRETCH = 160, 480
_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Taught:
    """Rows as they came, and behind them stretches of some. Each has its lesson, and `origin`,
    the place of the row that it is, or is a stretch of."""

    rows: list[Row]
    lessons: list[Lesson]
    origin: list[int]

    def trust(self) -> npt.NDArray[np.float64]:
        """How much each weighs of itself."""
        return np.array([lesson.weight for lesson in self.lessons])


def with_stretches(rows: Sequence[Row], lessons: Sequence[Lesson], seed: int) -> Taught:
    """For each long row that is honest by some head also a stretch of it, two of a very long one.
    It teaches only what is honest in the row: the bad part of a bad comment may stand elsewhere."""
    draw = random.Random(seed)
    taught = Taught([*rows], [*lessons], [*range(len(rows))])
    for place, (row, lesson) in enumerate(zip(rows, lessons, strict=True)):
        honest = {head: target for head, target in lesson.targets.items() if target == 0}
        if not honest or len(row.text) < _LONG:
            continue
        for _ in range(1 if len(row.text) < 2 * _LONG_STRETCH else 2):
            size = draw.choice((_SHORT_STRETCH, min(_LONG_STRETCH, len(row.text) // 2)))
            start = row.text.rfind(" ", 0, draw.randrange(len(row.text) - size)) + 1
            text = row.text[start : start + size]
            taught.rows.append(replace(row, text=text))
            taught.lessons.append(Lesson(lesson.weight * _WEIGHT, honest))
            taught.origin.append(place)
    return taught
