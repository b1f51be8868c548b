"""Which languages a model may judge: those it saw enough honest and bad rows of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.folding import fold
from moderation.language import UNDETERMINED, detect
from training.dataset import Row

Codes = npt.NDArray[np.str_]
_ENOUGH = {"spam": (40, 25), "abuse": (200, 200)}
"""Honest and bad rows in a language from which on a head may judge it."""


def codes(rows: Sequence[Row]) -> Codes:
    """The language of each row, as the service would detect it."""
    return np.array([detect(fold(row.text[:500])) for row in rows], np.str_)


def judged(found: Codes, targets: Mapping[str, npt.NDArray[Any]]) -> dict[str, list[str]]:
    """For spam and abuse, the languages that the head may judge, after these rows."""
    return {
        head: [
            str(code)
            for code in sorted(set(found))
            if code != UNDETERMINED
            and ((found == code) & (targets[head] == 0)).sum() >= honest
            and ((found == code) & (targets[head] == 1)).sum() >= bad
        ]
        for head, (honest, bad) in _ENOUGH.items()
    }


def readable(found: Codes, languages: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows a head that may judge these languages would judge."""
    return np.isin(found, [*languages, UNDETERMINED])
