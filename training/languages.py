"""Which languages a model may judge: those it saw enough honest and bad rows of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moderation.language import UNDETERMINED, detect
from moderation.text import fold
from training.corpora import Lesson
from training.dataset import Row
from training.validation import verdict_targets

_ENOUGH = {"spam": (40, 25), "abuse": (200, 200)}
"""Honest and bad rows in a language from which on a head may judge it."""


def judged(rows: Sequence[Row], lessons: Sequence[Lesson]) -> dict[str, list[str]]:
    """For spam and abuse, the languages that the head may judge."""
    targets = verdict_targets(lessons)
    codes = np.array([detect(fold(row.text[:500])) for row in rows])
    found = {}
    for head, (honest, bad) in _ENOUGH.items():
        found[head] = [
            str(code)
            for code in sorted(set(codes))
            if code != UNDETERMINED
            and ((codes == code) & (targets[head] == 0)).sum() >= honest
            and ((codes == code) & (targets[head] == 1)).sum() >= bad
        ]
    return found
