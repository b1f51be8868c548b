"""How good a model is on corpora that it did not see.

Whole corpora are left out, in folds; related corpora share a fold, and copies of a held-out row
are taken out of training. Our own seeds, and a site's own file trained alone, are split by rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from moderation.classifier import JUDGING_HEADS, VERDICT_HEADS
from moderation.weights import HEADS
from training import dataset, languages, recipe
from training.corpora import Lesson, is_ours, related, verdict_targets
from training.curriculum import curriculum
from training.dataset import Row, key
from training.stretches import with_stretches
from training.teacher import NO_PIECES, Pieces, Teacher

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FOLDS = 5
_ROWS_PER_CORPUS = 4_000
_FEW_TO_RANK = 15


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows that taught the models of other folds, and were not judged themselves."""

    rows: tuple[Row, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    folds: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Rows and their margins by a model that saw nothing of their corpus: (rows, heads).

    `readable` says for spam and abuse whether that model would judge the row's language: the only
    blog in French, left out, shows what a model makes of a language that it never saw, which in
    use comes out as "not evaluated".
    """

    rows: tuple[Row, ...]
    lessons: tuple[Lesson, ...]
    margins: F64
    folds: npt.NDArray[np.intp]
    readable: Mapping[str, npt.NDArray[np.bool_]]
    beside: Beside = field(default_factory=Beside)

    def verdict_targets(self) -> dict[str, F64]:
        """For spam and abuse: 1, 0, or NaN where the row doesn't say."""
        return verdict_targets(self.lessons)

    def corpora(self) -> npt.NDArray[Any]:
        """The corpus of each row."""
        return np.array([row.corpus for row in self.rows])


@dataclass(frozen=True, slots=True)
class Quality:
    """One head on one corpus. `recall` is at 1 % false holds, NaN with few honest rows."""

    corpus: str
    head: str
    honest: int
    bad: int
    auc: float
    precision: float
    recall: float


def leave_corpora_out(
    rows: Sequence[Row],
    lessons: Sequence[Lesson],
    seed: int,
    report: Callable[[], None],
    teacher: Teacher | None = None,
    pieces: Pieces = NO_PIECES,
) -> OutOfFold:
    """Margins on a sample of every corpus, each by a model trained without that corpus; and for
    corpora that the teacher of `pieces` had seen, without that too. All of our seeds teach, as they
    do the model that is served."""
    asked = set(dataset.sample(rows, _ROWS_PER_CORPUS))
    mixed = dataset.sample(rows, len(rows))
    chosen = [i for i in mixed if i in asked or is_ours(rows[i].corpus)]
    sampled = np.array([i in asked for i in chosen], bool)
    rows, lessons = [rows[i] for i in chosen], [lessons[i] for i in chosen]
    folds = assign(rows)
    course = curriculum(with_stretches(rows, lessons, seed), pieces)
    keys = np.array([key(row.text) for row in rows])
    trusted = np.array([lesson.weight > 0 for lesson in lessons], bool)
    margins = np.full((len(rows), len(HEADS)), np.nan)
    untaught = margins.copy()
    spoken, either = languages.codes(rows), verdict_targets(lessons)
    readable = {head: np.ones(len(rows), bool) for head in VERDICT_HEADS}

    def by_model(out: Bools, left_out: Bools, *, pieces: bool) -> F64:
        model = course.fit(left_out, pieces=pieces, heads=JUDGING_HEADS, seed=seed)
        return recipe.margins(model, rows, out.nonzero()[0], forget_authors=True)

    for fold in range(FOLDS):
        out = folds == fold
        if out.any():
            left_out = np.isin(keys, keys[out])
            out &= sampled
            margins[out] = by_model(out, left_out, pieces=True)
            if teacher:
                untaught[out] = by_model(out, left_out, pieces=False)
            known = trusted & ~left_out
            seen = {head: np.where(known, y, np.nan) for head, y in either.items()}
            for head, judged in languages.judged(spoken, seen).items():
                readable[head][out] = languages.readable(spoken, judged)[out]
        report()
    rest = ~sampled
    margins, untaught = margins[sampled], untaught[sampled]
    mine = tuple(compress(rows, sampled))
    if teacher:
        margins = unflattered(margins, untaught, teacher.seen(mine))
    return OutOfFold(
        mine,
        tuple(compress(lessons, sampled)),
        margins,
        folds[sampled],
        {head: said[sampled] for head, said in readable.items()},
        Beside(tuple(compress(rows, rest)), tuple(compress(lessons, rest)), folds[rest]),
    )


def unflattered(margins: F64, untaught: F64, seen: Bools) -> F64:
    """For rows that the teacher had `seen`, the margins by the model without it, on the scale of
    the one with: of the rows that it had not, both have the same mean and spread."""
    if seen.all():
        return untaught
    mean, spread = margins[~seen].mean(0), margins[~seen].std(0)
    mean_before, spread_before = untaught[~seen].mean(0), untaught[~seen].std(0)
    slope = spread / np.where(spread_before > 0, spread_before, 1)
    matched: F64 = (untaught - mean_before) * slope + mean
    return np.where(seen[:, None], matched, margins)


def assign(rows: Sequence[Row]) -> npt.NDArray[np.intp]:
    """The fold of each row: corpora whole where there are enough, else rows by their text."""
    groups = [related(row.corpus) for row in rows]
    sizes = Counter(group for group in groups if group is not None)
    by_rows = len(sizes) < FOLDS
    load, place = np.zeros(FOLDS), {}
    for group, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        place[group] = int(load.argmin())
        load[place[group]] += size
    return np.array(
        [
            int(key(row.text), 16) % FOLDS if by_rows or group is None else place[group]
            for row, group in zip(rows, groups, strict=True)
        ]
    )


def qualities(
    names: npt.NDArray[Any],
    folds: npt.NDArray[np.intp],
    targets: dict[str, F64],
    score: dict[str, F64],
) -> list[Quality]:
    """Every corpus by every head that it speaks of. A corpus of one kind only borrows the other
    kind from its fold."""
    table = []
    for head in VERDICT_HEADS:
        known = ~np.isnan(targets[head]) & ~np.isnan(score[head])
        for name in sorted(set(names[known])):
            own = known & (names == name)
            bad, honest = own & (targets[head] == 1), own & (targets[head] == 0)
            if bad.sum() < _FEW_TO_RANK:
                continue
            lent = honest
            if honest.sum() < 50:
                lent = known & (targets[head] == 0) & np.isin(folds, folds[own])
            table.append(
                quality(name, head, int(honest.sum()), score[head][lent], score[head][bad])
            )
    return table


def quality(name: str, head: str, honest: int, low: F64, high: F64) -> Quality:
    """Of a head on a corpus, from the scores of honest rows and of bad ones."""
    y = np.concatenate((np.zeros(len(low)), np.ones(len(high))))
    s = np.concatenate((low, high))
    return Quality(
        name, head, honest, len(high), float(roc_auc_score(y, s)),
        float(average_precision_score(y, s)), recall_at(low, high, 0.01),
    )  # fmt: skip


def recall_at(honest: F64, bad: F64, false_holds: float) -> float:
    """The share of bad rows above the score that so many honest rows reach; NaN with few rows."""
    if len(honest) < 50 or not len(bad):
        return float("nan")
    bar = np.sort(honest)[int(np.ceil(len(honest) * (1 - false_holds))) - 1]
    return float((bad > bar).mean())


def suspects(
    found: OutOfFold, scores: Mapping[str, F64], surest: int = 1000
) -> list[tuple[Row, str, float]]:
    """Rows whose label the other corpora's models contradict most surely: row, head, score."""
    listed = []
    for head, score in scores.items():
        target = found.verdict_targets()[head]
        doubt = np.abs(target - score)
        for i in np.argsort(-np.nan_to_num(doubt, nan=-1))[:surest]:
            if doubt[i] > 0.95:
                listed.append((found.rows[i], head, float(score[i])))
    return listed


def expected_calibration_error(target: F64, score: F64, weight: F64, bins: int = 10) -> float:
    """Mean gap between score and share of bad rows over bins of equal width (Guo et al. 2017)."""
    known = ~np.isnan(target)
    place = np.minimum((score[known] * bins).astype(int), bins - 1)
    w = weight[known]
    gap = np.bincount(place, w * (score[known] - target[known]), bins)
    return float(np.abs(gap).sum() / w.sum())


def as_json(table: Sequence[Quality]) -> Any:
    """Plain lists and dicts, for the manifest."""
    rounded = [
        {f: round(v, 4) if isinstance(v, float) else v for f, v in _fields(q).items()}
        for q in table
    ]
    return json.loads(json.dumps(rounded).replace("NaN", "null"))


def _fields(quality: Quality) -> dict[str, Any]:
    return {name: getattr(quality, name) for name in Quality.__slots__}
