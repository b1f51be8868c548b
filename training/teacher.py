"""An encoder teaches the linear model what a few words mean (distillation, Hinton et al. 2015).

From each comment that it can read a piece is cut, a few words long, and the encoder of the second
opinion says how likely the piece is spam, toxic or hateful. Words get the weight of what they say
by themselves, not of the comments that they happened to stand in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from moderation.classifier import KANA_AND_IDEOGRAPHS
from moderation.folding import fold
from moderation.language import detect
from moderation.second_opinion import OUTPUTS, SecondOpinion
from training.corpora import is_ours, related
from training.dataset import Row, key, sample
from training.progress import Steps

_PER_CORPUS = 7_000
_LEAST_WORDS, _MORE_WORDS = 3, 7
"""A piece has so many words, and so many more on average."""
_WORD = re.compile(rf"[{KANA_AND_IDEOGRAPHS}]{{1,2}}|[^\s{KANA_AND_IDEOGRAPHS}]+")
"""Of kana and ideographs two are as good as a word."""
_READ = 3_000
_TELLING = 250
"""Characters that tell a language."""
_SURE = 0.02
"""So near to no or yes a piece counts as such, which spares half the work."""
_SEEDS_KEPT_OUT = 5
"""Of our own seeds an encoder is never taught one row in so many, by the hash of its text."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a comment, and how likely each of OUTPUTS is for them."""

    text: str
    said: tuple[float, ...]

    def targets(self) -> dict[str, float]:
        """What the piece teaches, by head."""
        return dict(zip(OUTPUTS, self.said, strict=True))


Pieces = Mapping[str, Piece]
"""By the key of the row that each was cut from."""
NO_PIECES: Pieces = {}


class Teacher:
    """The encoder of a second opinion, and which corpora it was taught itself."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused; ImportError without the extra `second-opinion`."""
        self.folder = folder
        self.encoder = SecondOpinion(folder)
        self._kept_out = frozenset(self.encoder.manifest["kept_out"])

    def pieces(self, rows: Sequence[Row], seed: int, steps: Steps) -> Pieces:
        """One piece of each row that the encoder can read, of so many rows of each corpus at
        most. The same for a row whatever others stand beside it."""
        cut = {
            key(row.text): text
            for row in (rows[i] for i in sample(rows, _PER_CORPUS))
            if (text := _cut(row, seed)) and is_readable(row, self.encoder.languages)
        }
        # the encoder lets go of the interpreter lock
        said = Parallel(n_jobs=-1, backend="threading", return_as="generator")(
            delayed(self._judge)(text) for text in cut.values()
        )
        pieces = {}
        with steps("Asking the teacher", len(cut)) as done:
            for name, piece in zip(cut, said, strict=True):
                pieces[name] = piece
                done(1)
        return pieces

    def seen(self, rows: Sequence[Row]) -> npt.NDArray[np.bool_]:
        """For each row, whether the encoder was taught its corpus or one that is related to it."""
        readable = np.array([is_readable(row, self.encoder.languages) for row in rows], bool)
        taught = readable & [not is_kept_out(row, self._kept_out) for row in rows]
        families = {related(row.corpus) for row, own in zip(rows, taught, strict=True) if own}
        families.discard(None)
        of_family = np.array([related(row.corpus) in families for row in rows], bool)
        return np.asarray(taught | (readable & of_family))

    def _judge(self, text: str) -> Piece:
        return Piece(text, tuple(_likely(z) for z in self.encoder.log_odds(fold(text))))


def is_readable(row: Row, languages: Collection[str]) -> bool:
    """Whether the row begins in one of these languages."""
    return detect(fold(row.text[:_TELLING])) in languages


def is_kept_out(row: Row, corpora: Collection[str]) -> bool:
    """Whether an encoder that is taught none of these corpora is not taught this row."""
    if is_ours(row.corpus):
        return int(key(row.text), 16) % _SEEDS_KEPT_OUT == 0
    return row.corpus in corpora


def _cut(row: Row, seed: int) -> str:
    """Some words that stand together; of a text that is no longer than that, nothing."""
    text = " ".join(row.text[:_READ].split())
    words = [found.span() for found in _WORD.finditer(text)]
    draw = Random(f"{seed} {key(row.text)}")
    size = _LEAST_WORDS + int(draw.expovariate(1 / _MORE_WORDS))
    if len(words) < 2 * _LEAST_WORDS:
        return ""
    size = min(size, len(words) - 1)
    start = draw.randrange(len(words) - size + 1)
    return text[words[start][0] : words[start + size - 1][1]]


def _likely(log_odds: float) -> float:
    likely = 1 / (1 + exp(-log_odds))
    return round(likely) if min(likely, 1 - likely) < _SURE else round(likely, 6)
