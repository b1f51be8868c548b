"""Whether a new model may take the active one's place: both judge rows that neither learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moderation.classifier import ABUSE, VERDICT_HEADS, Classifier
from moderation.shelf import carried
from training import calibration, card, corpora, dataset, hygiene, measure
from training.corpora import Lesson
from training.dataset import Row, key
from training.measure import Figures

F64 = npt.NDArray[np.float64]
Pairs = list[tuple[Row, Lesson]]

_FEW = 100
"""Held-out rows of a head below which two models are also compared on our seeds."""
_HEADS = {"spam": ("spam",), "abuse": ABUSE}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two models made of the same rows: Markdown, the new one's figures, and where it is
    worse."""

    section: list[str]
    figures: list[Figures]
    losses: list[str]


def seeds() -> tuple[Pairs, Pairs]:
    """Our seeds: rows to rehearse, and rows that no model was trained on."""
    (corpus,) = dataset.read([carried("seeds") / "comments.csv"])
    found = hygiene.sort(corpus.rows, corpora.lessons(corpus))
    return found.pairs(), found.pairs(held_out=True)


def compare(
    champion: Classifier | None, challenger: Classifier, pairs: Pairs, name: str
) -> Comparison:
    """Both models on these rows; nothing is lost where there is no model to compare with."""
    rows, lessons = _apart(pairs)
    after, bars_after = measure.score(challenger, rows), measure.thresholds(challenger)
    new = measure.figures(after, lessons, bars_after)
    if champion is None:
        return Comparison(card.compared(name, None, new, None), new, [])
    before, bars = measure.score(champion, rows), measure.thresholds(champion)
    old = measure.figures(before, lessons, bars)
    return Comparison(
        card.compared(name, old, new, champion.version),
        new,
        measure.losses(before, after, lessons, bars, bars_after)
        + measure.contradictions(before, lessons),
    )


def compare_taught(champion: Classifier, pairs: Pairs, margins: F64) -> Comparison:
    """The champion and what it was taught on a site's rows, of which `margins` are by models that
    did not see them."""
    rows, lessons = _apart(pairs)
    before = measure.score(champion, rows)
    after = calibration.scores(margins, champion.manifest["calibration"])
    bars = measure.thresholds(champion)
    old, new = (measure.figures(scores, lessons, bars) for scores in (before, after))
    name = "your rows, each judged by a model that did not see it"
    if "taught_on_top_of" in champion.manifest:
        name += " (the active one may have been taught some of them)"
    return Comparison(
        card.compared(name, old, new, champion.version),
        new,
        measure.losses(before, after, lessons, bars, bars)
        + measure.contradictions(before, lessons)
        + measure.unlearnable(before, after, lessons),
    )


def with_seeds(held_out: Pairs) -> Pairs:
    """The rows, and our held-out seeds for those heads of which too few rows speak to tell two
    models apart."""
    targets = corpora.verdict_targets([lesson for _, lesson in held_out])
    few = {
        name
        for head in VERDICT_HEADS
        if np.isfinite(targets[head]).sum() < _FEW
        for name in _HEADS[head]
    }
    known = {key(row.text) for row, _ in held_out}
    return held_out + [
        (row, Lesson(lesson.weight, _only(lesson, few)))
        for row, lesson in (seeds()[1] if few else [])
        if key(row.text) not in known
    ]


def _apart(pairs: Pairs) -> tuple[list[Row], list[Lesson]]:
    return [row for row, _ in pairs], [lesson for _, lesson in pairs]


def _only(lesson: Lesson, heads: set[str]) -> dict[str, float]:
    return {head: target for head, target in lesson.targets.items() if head in heads}
