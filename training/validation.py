"""How good a model is on corpora that it did not see.

Whole corpora are left out, in folds; related corpora share a fold, and copies of a held-out row
are taken out of training. Our own seeds, and a site's own file trained alone, are split by rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from moderation.classifier import JUDGING_HEADS, VERDICT_HEADS
from moderation.weights import HEADS
from training import languages, recipe
from training.corpora import Lesson, related
from training.dataset import Row, key
from training.stretches import with_stretches

F64 = npt.NDArray[np.float64]

FOLDS = 5
_ROWS_PER_CORPUS = 4_000
_FEW_TO_RANK = 15


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


def all_targets(lessons: Sequence[Lesson]) -> F64:
    """For every head: 1, 0, or NaN where the lesson doesn't say. Shape (lessons, heads)."""
    table = [[lesson.target(head) for head in HEADS] for lesson in lessons]
    return np.array(table, np.float64).reshape(-1, len(HEADS))


def verdict_targets(lessons: Sequence[Lesson]) -> dict[str, F64]:
    """For spam and abuse: 1, 0, or NaN where the lesson doesn't say."""
    by_head = {h: np.array([lesson.target(h) for lesson in lessons]) for h in JUDGING_HEADS}
    either = np.fmax(by_head["toxicity"], by_head["hate"])
    return {"spam": by_head["spam"], "abuse": either}


def leave_corpora_out(
    rows: Sequence[Row], lessons: Sequence[Lesson], seed: int, report: Callable[[], None]
) -> OutOfFold:
    """Margins on a sample of every corpus, each by a model trained without that corpus."""
    chosen = _sample(rows)
    rows, lessons = [rows[i] for i in chosen], [lessons[i] for i in chosen]
    folds = assign(rows)
    taught = with_stretches(rows, lessons, seed)
    keys = np.array([key(row.text) for row in rows])
    targets = all_targets(taught.lessons)
    base = recipe.corpus_weights([row.corpus for row in taught.rows], taught.trust())
    chunks = recipe.featurise(taught.rows, lambda done: None, forget_authors=True)
    margins = np.full((len(rows), len(HEADS)), np.nan)
    spoken, either = languages.codes(rows), verdict_targets(lessons)
    readable = {head: np.ones(len(rows), bool) for head in VERDICT_HEADS}
    for fold in range(FOLDS):
        out = folds == fold
        if out.any():
            # a weight of nothing keeps a row out, and the features need not be cut
            weights = base * ~np.isin(keys, keys[out])[taught.origin]
            weights = recipe.head_weights(taught.rows, weights, targets)
            model = recipe.fit(chunks, targets, weights, heads=JUDGING_HEADS, seed=seed)
            margins[out] = recipe.margins(model, rows, out.nonzero()[0], forget_authors=True)
            known = weights[: len(rows)].any(1)
            seen = {head: np.where(known, y, np.nan) for head, y in either.items()}
            for head, judged in languages.judged(spoken, seen).items():
                readable[head][out] = languages.readable(spoken, judged)[out]
        report()
    return OutOfFold(tuple(rows), tuple(lessons), margins, folds, readable)


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


def _sample(rows: Sequence[Row]) -> list[int]:
    """At most so many rows of each corpus, the same ones each time, in a mixed order."""
    order = sorted(
        range(len(rows)),
        key=lambda i: hashlib.blake2b(f"{rows[i].corpus}/{rows[i].line}".encode()).digest(),
    )
    taken: Counter[str] = Counter()
    sample = []
    for i in order:
        taken[rows[i].corpus] += 1
        if taken[rows[i].corpus] <= _ROWS_PER_CORPUS:
            sample.append(i)
    return sample


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
