"""The pipeline that one would write first, to compare with: TF-IDF of words and characters, and a
logistic regression for each head, in plain scikit-learn on the raw text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

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
