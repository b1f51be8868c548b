"""Teaching a model on top of what it knows: its own log-odds stay as an offset, and a correction
is learnt from the new rows, held small by an L2 penalty and by rows of which it must go on saying
what it says (learning without forgetting, Li and Hoiem 2016). Their labels would pull it away from
what it knows of all other sites, towards those few rows.

The penalty is the one that predicts the site's rows best when a fifth of them is left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from moderation.classifier import JUDGING_HEADS, Classifier
from moderation.weights import HEADS
from training import recipe
from training.corpora import Lesson
from training.dataset import Row, key
from training.featurising import featurise

F64 = npt.NDArray[np.float64]

_PENALTIES = (3.0, 0.6, 0.1)
"""The strongest first: each solution is where the search for the next one begins."""
_TOLERANCE = 1e-6
_FOLDS = 5


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
    """A correction of `model`, which is the champion's weights, by the site's rows; of those of the
    `rehearsal` it is to keep its opinion, whatever their labels."""
    examples = [*site, *rehearsal]
    rows = [row for row, _ in examples]
    chunks = featurise(rows, lambda done: None)
    ones = np.ones(len(model.weights), np.float32)
    features = sparse.vstack([chunk.matrix(ones) for chunk in chunks], format="csr")
    margins = recipe.margins(model, rows, np.arange(len(rows)))
    own = np.arange(len(rows)) < len(site)
    folds = np.array([int(key(row.text), 16) % _FOLDS for row in rows])
    weights, bias, unseen = model.weights.copy(), model.bias.copy(), margins[own].copy()
    for head in JUDGING_HEADS:
        column = HEADS.index(head)
        slope, offset = champion.manifest["calibration"][head]
        known = margins[:, column] * slope + offset
        target = np.array([lesson.target(head) for _, lesson in examples])
        target[~own] = 1 / (1 + np.exp(-known[~own]))
        weight = np.array([lesson.weight for _, lesson in examples])
        taught = ~np.isnan(target) & (weight > 0)
        if not (taught & own).any():
            report()
            continue
        problem = _Problem(features, own, known, target, weight)
        # BLAS on vectors as short as these waits for its own threads most of the time
        with threadpool_limits(1, "blas"):
            corrections = _cross_fitted(problem, taught, folds)
            best = min(_PENALTIES, key=lambda p: problem.loss(corrections[p], taught & own))
            ((change, shift),) = problem.solutions(taught, [best])
        unseen[:, column] += corrections[best][own] / slope
        weights[:, column] += (change / slope).astype(np.float32)
        bias[column] += shift / slope
        report()
    return Taught(recipe.Linear(weights, bias), unseen)


@dataclass(frozen=True, slots=True)
class _Problem:
    features: sparse.csr_matrix
    own: npt.NDArray[np.bool_]
    offset: F64
    target: F64
    weight: F64

    def solutions(
        self, rows: npt.NDArray[np.bool_], penalties: Sequence[float]
    ) -> Iterator[tuple[F64, float]]:
        """For each penalty, the correction of all buckets and of the bias that fits these rows
        best."""
        part = self.features[np.flatnonzero(rows)]
        # what stands in none of the site's rows is left as it is
        used = np.unique(self.features[np.flatnonzero(rows & self.own)].indices)
        dense = part[:, used]
        offset, y, w = self.offset[rows], self.target[rows], self.weight[rows]

        def objective(at: F64, penalty: float) -> tuple[float, F64]:
            z = offset + dense @ at[:-1] + at[-1]
            slope = w * (1 / (1 + np.exp(-np.clip(z, -500, 500))) - y)
            value = (w * (np.logaddexp(0, z) - y * z)).sum() + penalty / 2 * at @ at
            gradient = np.append(dense.T @ slope, slope.sum()) + penalty * at
            return float(value), gradient

        best = np.zeros(len(used) + 1)
        for penalty in penalties:
            best = minimize(objective, best, penalty, jac=True, method="L-BFGS-B", tol=_TOLERANCE).x
            change = np.zeros(self.features.shape[1])
            change[used] = best[:-1]
            yield change, float(best[-1])

    def loss(self, correction: F64, rows: npt.NDArray[np.bool_]) -> float:
        """Mean log loss of these rows."""
        z = (self.offset + correction)[rows]
        return float((np.logaddexp(0, z) - self.target[rows] * z).mean())


def _cross_fitted(
    problem: _Problem,
    taught: npt.NDArray[np.bool_],
    folds: npt.NDArray[np.intp],
) -> dict[float, F64]:
    """By penalty: for each of the site's rows the correction of its log-odds by the other folds."""
    corrections = {penalty: np.zeros(len(folds)) for penalty in _PENALTIES}
    for fold in range(_FOLDS):
        out = problem.own & (folds == fold)
        if out.any():
            unseen = problem.features[np.flatnonzero(out)]
            found = problem.solutions(taught & ~out, _PENALTIES)
            for correction, (change, shift) in zip(corrections.values(), found, strict=True):
                correction[out] = unseen @ change + shift
    return corrections
