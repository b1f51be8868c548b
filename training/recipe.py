"""Rows → weights: eight logistic regressions over hashed features, by averaged stochastic
gradient descent (Bottou 2010), the same rows and seed giving the same bytes.

A feature is scaled by a power of its inverse document frequency while it is learnt, and the scale
is folded into its weight afterwards, so that scoring is a plain sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import get_active_backend
from sklearn.linear_model import SGDClassifier

from moderation.classifier import Classifier
from moderation.features import BITS, VOID, extract
from moderation.weights import HEADS, Weights
from training.corpora import SEEDS_OF_SPAM, has_link, is_ours
from training.dataset import Row
from training.featurising import BATCH, Chunk, reading

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_ALPHA = {"spam": 8e-6}
_USUAL_ALPHA = 1.5e-6
_EPOCHS = 8
_IDF_POWER = 1.5
_CORPUS_POWER = 0.5
"""A corpus of n rows weighs n ** (1 - this): large ones count for more, but don't drown others."""
_LINK_BALANCE = 0.25
MIN_EXAMPLES = 20
"""Rows of each kind below which a head is not fitted."""
_CLIP = 99.995
"""Percentile of the weights beyond which they are cut, so that eight bits resolve the others."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights and biases of all heads: shapes (buckets, heads) and (heads,)."""

    weights: F32
    bias: F64

    @classmethod
    def of(cls, classifier: Classifier) -> Linear:
        """The weights of a loaded model."""
        table, scale, bias = classifier.weights.arrays()
        # copies: what was mapped from a file would be saved as a reference to it
        return cls(np.array(table * scale), np.array(bias, np.float64))

    def quantised(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the artefact: weights in eight bits, a scale for each head."""
        scale = np.empty(len(HEADS), np.float32)
        table = np.empty(self.weights.shape, np.int8)
        for column in range(len(HEADS)):
            magnitude = np.abs(self.weights[:, column])
            used = magnitude[magnitude > 0]
            top = float(np.percentile(used, _CLIP)) if len(used) else 1.0
            scale[column] = top / 127
            # dithered: small weights, which are many, keep their sum (Roberts 1962)
            dither = np.random.default_rng(column).random(len(table), np.float32)
            levels = np.floor(self.weights[:, column] / scale[column] + dither)
            table[:, column] = np.clip(levels, -127, 127)
        table[VOID] = 0
        return {"weights": table, "scale": scale, "bias": np.array(self.bias, np.float32)}


def margins(
    model: Linear, rows: Sequence[Row], among: npt.NDArray[np.intp], *, forget_authors: bool = False
) -> F64:
    """Log-odds before calibration of some of the rows, as the service would find them with these
    weights; shape (among, heads)."""
    weights = Weights(model.quantised())
    found = [np.empty((0, len(HEADS)), np.float32)]
    for start in range(0, len(among), BATCH):
        batch = among[start : start + BATCH]
        readings = [reading(rows[i], forget=forget_authors and i % 2 == 1) for i in batch]
        found.append(weights.margins(extract(readings)))
    return np.vstack(found).astype(np.float64)


def corpus_weights(corpora: Sequence[str], trust: F64) -> F64:
    """The weight of each row: its own, and its corpus's damped by size. Shape (rows,)."""
    _, inverse, counts = np.unique(corpora, return_inverse=True, return_counts=True)
    weights: F64 = trust * counts[inverse] ** -_CORPUS_POWER
    return weights


def head_weights(rows: Sequence[Row], weights: F64, targets: F64) -> F64:
    """The weight of each row for each head, shape (rows, heads).

    Our seeds weigh more for spam. Nearly all spam of the corpora has a link and nearly all honest
    comments have none, so that a link alone would say "spam", and its absence "honest". Rows weigh
    so much more or less that spam is about as frequent with links as without (Kamiran and Calders
    2012).
    """
    table = np.repeat(weights[:, None], len(HEADS), 1)
    column = HEADS.index("spam")
    table[[is_ours(row.corpus) for row in rows], column] *= SEEDS_OF_SPAM
    weights, spam = table[:, column].copy(), targets[:, column]
    linked = np.array([has_link(row) for row in rows])
    known = ~np.isnan(spam)
    for with_link in (True, False):
        for label in (0.0, 1.0):
            here = known & (linked == with_link) & (spam == label)
            if here.any():
                expected = (
                    weights[known & (linked == with_link)].sum()
                    * weights[known & (spam == label)].sum()
                    / weights[known].sum()
                )
                table[here, column] *= (expected / weights[here].sum()) ** _LINK_BALANCE
    return table


def fit(
    chunks: Sequence[Chunk],
    targets: F64,
    weights: F64,
    *,
    heads: Sequence[str] = HEADS,
    seed: int = 0,
    report: Callable[[], None] = lambda: None,
) -> Linear:
    """Fits the heads on rows whose target is not NaN and whose weight is positive; a target may
    be a probability.

    `targets` and `weights` have shape (rows, len(HEADS)); a head without enough examples of both
    kinds stays zero, with a bias that makes it say "no".
    """
    buckets = 1 << BITS
    table = np.zeros((buckets, len(HEADS)), np.float32)
    bias = np.full(len(HEADS), -6.0)
    frequency = np.zeros(buckets)
    for chunk in chunks:
        frequency += np.bincount(chunk.indices, minlength=buckets)
    scale = _scale(frequency, len(targets))
    with _sharing(chunks):
        # scikit-learn lets go of the interpreter lock, so threads share the features
        fitted = Parallel(n_jobs=2, prefer="threads", return_as="generator")(
            delayed(_head)(
                chunks,
                targets[:, HEADS.index(head)],
                weights[:, HEADS.index(head)],
                _ALPHA.get(head, _USUAL_ALPHA),
                scale,
                seed,
            )
            for head in heads
        )
        for head, result in zip(heads, fitted, strict=True):
            report()
            if result is None:
                continue
            table[:, HEADS.index(head)] = result[0] * scale
            bias[HEADS.index(head)] = result[1]
    return Linear(table, bias)


def _sharing(chunks: Sequence[Chunk]) -> AbstractContextManager[Any]:
    """On a cluster each worker gets the features once, not again with each head."""
    on_cluster = type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"
    return parallel_config("dask", scatter=[chunks]) if on_cluster else nullcontext()


def _scale(frequency: F64, rows: int) -> F32:
    idf = (np.log((1 + rows) / (1 + frequency)) + 1).clip(0.1) ** _IDF_POWER
    mean_square = (idf**2 * frequency).sum() / max(frequency.sum(), 1)
    scale: F32 = (idf / np.sqrt(mean_square)).astype(np.float32)
    return scale


def _head(
    chunks: Sequence[Chunk],
    target: F64,
    weight: F64,
    alpha: float,
    scale: F32,
    seed: int,
) -> tuple[F32, float] | None:
    taught = ~np.isnan(target) & (weight > 0)
    if min((target[taught] == 1).sum(), (target[taught] == 0).sum()) < MIN_EXAMPLES:
        return None
    mean = weight[taught].mean()
    order = np.random.default_rng(seed)
    model = SGDClassifier(loss="log_loss", alpha=alpha, average=True, random_state=seed)
    starts = np.concatenate(([0], np.cumsum([len(chunk.indptr) - 1 for chunk in chunks])))
    for _ in range(_EPOCHS):
        for number in order.permutation(len(chunks)):
            rows = slice(starts[number], starts[number + 1])
            here = np.flatnonzero(taught[rows])
            if len(here):
                here, label, share = _either(here, target[rows])
                model.partial_fit(
                    chunks[number].matrix(scale)[here],
                    label,
                    classes=(0.0, 1.0),
                    sample_weight=weight[rows][here] / mean * share,
                )
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _either(here: npt.NDArray[np.intp], target: F64) -> tuple[npt.NDArray[np.intp], F64, F64]:
    """Rows, labels and shares: a row whose target is between no and yes counts as both, as much
    as each is likely."""
    likely = target[here]
    label = np.rint(likely)
    share = 1 - np.abs(likely - label)
    unsure = share < 1
    return (
        np.concatenate((here, here[unsure])),
        np.concatenate((label, 1 - label[unsure])),
        np.concatenate((share, 1 - share[unsure])),
    )
