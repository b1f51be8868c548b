"""Teaching a model on top of what it knows: its own log-odds stay as an offset, and a correction
is learnt from the new rows, held small by an L2 penalty and by rows it must not forget.

The penalty is the one that predicts the site's rows best when a fifth of them is left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from moderation.classifier import ABUSE, HEADS, Classifier
from training import recipe
from training.corpora import Lesson
from training.dataset import Row, key

F64 = npt.NDArray[np.float64]

_PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
_FOLDS = 5
_TAUGHT = ("spam", *ABUSE)


@dataclass(frozen=True, slots=True)
class Taught:
    """The corrected model, and for each of the site's rows the margins by a model that did not
    see it, shape (rows, heads)."""

    model: recipe.Linear
    unseen: F64


def teach(
    champion: Classifier,
    model: recipe.Linear,
    site: Sequence[tuple[Row, Lesson]],
    rehearsal: Sequence[tuple[Row, Lesson]],
    report: Callable[[], None],
) -> Taught:
    """A correction of `model`, which is the champion's weights, by the site's rows."""
    examples = [*site, *rehearsal]
    rows = [row for row, _ in examples]
    chunks = recipe.featurise(rows, lambda done: None)
    ones = np.ones(len(model.weights), np.float32)
    features = sparse.vstack([chunk.matrix(ones) for chunk in chunks], format="csr")
    margins = model.margins(chunks)
    own = np.arange(len(rows)) < len(site)
    folds = np.array([int(key(row.text), 16) % _FOLDS for row in rows])
    weights, bias, unseen = model.weights.copy(), model.bias.copy(), margins[own].copy()
    for head in _TAUGHT:
        column = HEADS.index(head)
        slope, offset = champion.manifest["calibration"][head]
        target = np.array([lesson.target(head) for _, lesson in examples])
        weight = np.array([lesson.weight for _, lesson in examples])
        taught = ~np.isnan(target) & (weight > 0)
        if not (taught & own).any():
            report()
            continue
        problem = _Problem(features, margins[:, column] * slope + offset, target, weight)
        corrections = {
            penalty: _cross_fitted(problem, taught, own, folds, penalty) for penalty in _PENALTIES
        }
        judged = taught & own
        best = min(_PENALTIES, key=lambda p: problem.loss(corrections[p], judged))
        unseen[:, column] += corrections[best][own] / slope
        change, shift = problem.solve(taught, best)
        weights[:, column] += (change / slope).astype(np.float32)
        bias[column] += shift / slope
        report()
    return Taught(recipe.Linear(weights, bias), unseen)


@dataclass(frozen=True, slots=True)
class _Problem:
    features: sparse.csr_matrix
    offset: F64
    target: F64
    weight: F64

    def solve(self, rows: npt.NDArray[np.bool_], penalty: float) -> tuple[F64, float]:
        """The correction of all buckets and of the bias that fits these rows best."""
        part = self.features[np.flatnonzero(rows)]
        used = np.unique(part.indices)
        dense = sparse.csr_matrix(
            (part.data, np.searchsorted(used, part.indices), part.indptr),
            shape=(part.shape[0], len(used)),
        )
        offset, y, w = self.offset[rows], self.target[rows], self.weight[rows]

        def objective(at: F64) -> tuple[float, F64]:
            z = offset + dense @ at[:-1] + at[-1]
            slope = w * (1 / (1 + np.exp(-np.clip(z, -500, 500))) - y)
            value = (w * (np.logaddexp(0, z) - y * z)).sum() + penalty / 2 * at @ at
            gradient = np.append(dense.T @ slope, slope.sum()) + penalty * at
            return float(value), gradient

        best = minimize(objective, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B").x
        change = np.zeros(self.features.shape[1])
        change[used] = best[:-1]
        return change, float(best[-1])

    def loss(self, correction: F64, rows: npt.NDArray[np.bool_]) -> float:
        """Mean log loss of these rows."""
        z = (self.offset + correction)[rows]
        return float((np.logaddexp(0, z) - self.target[rows] * z).mean())


def _cross_fitted(
    problem: _Problem,
    taught: npt.NDArray[np.bool_],
    own: npt.NDArray[np.bool_],
    folds: npt.NDArray[np.intp],
    penalty: float,
) -> F64:
    """For each of the site's rows the correction of its log-odds by the other folds."""
    correction = np.zeros(len(folds))
    for fold in range(_FOLDS):
        out = own & (folds == fold)
        if out.any():
            change, shift = problem.solve(taught & ~out, penalty)
            correction[out] = problem.features[np.flatnonzero(out)] @ change + shift
    return correction
