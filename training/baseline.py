"""The pipeline that one would write first, to compare with: TF-IDF of words and characters, and a
logistic regression for each head, in plain scikit-learn on the raw text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from moderation.classifier import VERDICT_HEADS
from training import validation
from training.corpora import verdict_targets
from training.validation import OutOfFold, Quality

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_IMPORT_MARKS = re.compile(r"</?p>|\s(?:rel|title)=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)


def without_import_marks(text: str) -> str:
    """The text without what some blogs' imports put into honest comments only (`<p>`, `rel=`,
    `title=`): it tells the blog, not the spam, and nobody types it into a form."""
    return _IMPORT_MARKS.sub("", text)


def plain_pipeline() -> Any:
    """TF-IDF of words 1-2 and characters within words 2-5, logistic regression."""
    return make_pipeline(
        make_union(
            TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=200_000,
                dtype=np.float32,
            ),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2,
                max_features=300_000, dtype=np.float32,
            ),
        ),
        LogisticRegression(C=4, max_iter=200),
    )  # fmt: skip


def fit(texts: Sequence[str], targets: Sequence[int]) -> Any:
    """The fitted pipeline of one head."""
    return plain_pipeline().fit(texts, targets)


def plain_qualities(found: OutOfFold, report: Callable[[], None]) -> list[Quality]:
    """The plain pipeline on the same folds and rows."""
    rows = (*found.rows, *found.beside.rows)
    texts = np.array([without_import_marks(row.text) for row in rows], object)
    targets = verdict_targets([*found.lessons, *found.beside.lessons])
    folds = np.concatenate((found.folds, found.beside.folds))
    sampled = np.arange(len(rows)) < len(found.rows)
    scores = {head: np.full(len(found.rows), np.nan) for head in VERDICT_HEADS}
    parts = [(head, fold) for head in VERDICT_HEADS for fold in range(validation.FOLDS)]
    judged = Parallel(n_jobs=2, return_as="generator")(
        delayed(_plain_scores)(texts, targets[head], folds == fold, sampled) for head, fold in parts
    )
    for (head, _), (out, margins) in zip(parts, judged, strict=True):
        scores[head][out] = margins
        report()
    return validation.qualities(found.corpora(), found.folds, found.verdict_targets(), scores)


def _plain_scores(
    texts: npt.NDArray[Any], target: F64, left_out: Bools, sampled: Bools
) -> tuple[npt.NDArray[np.intp], F64]:
    known = ~np.isnan(target)
    out = known & left_out & sampled
    seen = set(texts[left_out])
    train = known & ~left_out & np.array([text not in seen for text in texts])
    places = out.nonzero()[0]
    if not out.any() or len(set(target[train])) < 2:
        return places, np.full(len(places), np.nan)
    model = fit(texts[train], target[train].astype(int))
    return places, model.decision_function(texts[out])
