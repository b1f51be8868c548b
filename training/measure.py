"""A model's figures on labelled rows, and whether one model is worse than another on the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, mannwhitneyu, rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from moderation.classifier import VERDICT_HEADS, Classifier
from training.corpora import Lesson, verdict_targets
from training.dataset import Row
from training.validation import expected_calibration_error, recall_at

F64 = npt.NDArray[np.float64]

DEFAULT_PROMISE = 0.01
_RESAMPLES = 400
_SLACK = 0.002
"""A loss of ROC AUC below this is nobody's reason to keep the older model."""
_LOSS_SLACK = 0.25
"""As above, for the rise of the log loss, as a share of what it was."""
_TOLD_APART = 0.6
"""ROC AUC below which labels are next to chance."""
_UPSIDE_DOWN = 0.4
"""No site's rows were seen to be ranked worse than this by a model that is any good."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One head on labelled rows; NaN where rows of one kind are missing.

    `held` is the share of honest rows held at the default promise, `interval` its 95 % interval
    (Clopper and Pearson 1934), `caught` the share of bad rows held.
    """

    head: str
    honest: int
    bad: int
    auc: float
    precision: float
    recall: float
    held: float
    interval: tuple[float, float]
    caught: float
    calibration_error: float
    log_loss: float


def score(classifier: Classifier, rows: Sequence[Row]) -> dict[str, F64]:
    """Calibrated probabilities of spam and abuse for each row."""
    assessed = classifier.assess([row.comment() for row in rows])
    return {head: np.array([found.scores[head] for found in assessed]) for head in VERDICT_HEADS}


def figures(
    scores: Mapping[str, F64], lessons: Sequence[Lesson], thresholds: Mapping[str, float]
) -> list[Figures]:
    """The figures of each head that any row speaks of."""
    found = []
    for head, target in verdict_targets(lessons).items():
        known = ~np.isnan(target)
        if known.any():
            found.append(_figures(head, target[known], scores[head][known], thresholds[head]))
    return found


def _figures(head: str, target: F64, score: F64, threshold: float) -> Figures:
    honest, bad = score[target == 0], score[target == 1]
    both = len(honest) and len(bad)
    held = int((honest >= threshold).sum())
    return Figures(
        head,
        len(honest),
        len(bad),
        float(roc_auc_score(target, score)) if both else np.nan,
        float(average_precision_score(target, score)) if both else np.nan,
        recall_at(honest, bad, 0.01),
        held / len(honest) if len(honest) else np.nan,
        interval(held, len(honest)),
        float((bad >= threshold).mean()) if len(bad) else np.nan,
        expected_calibration_error(target, score, np.ones(len(target))),
        float(_log_losses(target, score).mean()),
    )


def _log_losses(target: F64, score: F64) -> F64:
    sure = np.clip(np.where(target == 1, score, 1 - score), 1e-6, 1)
    return np.asarray(-np.log(sure))


def interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Clopper and Pearson 1934)."""
    low = beta.ppf(0.025, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(0.975, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def losses(
    before: Mapping[str, F64],
    after: Mapping[str, F64],
    lessons: Sequence[Lesson],
    thresholds_before: Mapping[str, float],
    thresholds_after: Mapping[str, float],
) -> list[str]:
    """Where the model of after is worse than that of before on the same rows, by more than noise:
    a sentence for each; none where it is no worse."""
    found = []
    for head, target in verdict_targets(lessons).items():
        known = ~np.isnan(target)
        y, old, new = target[known], before[head][known], after[head][known]
        if len(set(y)) == 2:
            gain, most = _auc_gain(y, old, new)
            if gain < -_SLACK and most < 0:
                found.append(
                    f"ROC AUC for {head} falls by {-gain:.4f} on {len(y)} held-out rows "
                    f"(at best by {-most:.4f})"
                )
        if len(y):
            found += _surprised(head, _log_losses(y, old), _log_losses(y, new))
        honest = y == 0
        more = (new[honest] >= thresholds_after[head]).astype(int)
        fewer = (old[honest] >= thresholds_before[head]).astype(int)
        newly, spared = int((more > fewer).sum()), int((more < fewer).sum())
        # two standard deviations of the difference of paired counts (McNemar 1947)
        if newly - spared > max(1, 2 * np.sqrt(newly + spared)):
            found.append(f"{newly - spared} more of {honest.sum()} honest rows are held for {head}")
    return found


def _surprised(head: str, old: F64, new: F64) -> list[str]:
    rise = new - old
    noise = 1.96 * float(rise.std()) / np.sqrt(len(rise))
    if rise.mean() <= max(noise, _LOSS_SLACK * old.mean()):
        return []
    means = f"from {old.mean():.4f} to {new.mean():.4f}"
    return [f"log loss for {head} rises {means} on {len(rise)} held-out rows"]


def contradictions(scores: Mapping[str, F64], lessons: Sequence[Lesson]) -> list[str]:
    """A sentence for each head that ranks its rows the other way round, as it does where labels
    are swapped: a model that learns such rows looks better on more of them, and is not."""
    found = []
    for head, target in verdict_targets(lessons).items():
        bad, honest = scores[head][target == 1], scores[head][target == 0]
        if not len(bad) or not len(honest):
            continue
        above, chance = mannwhitneyu(bad, honest, alternative="less")
        auc = above / (len(bad) * len(honest))
        if auc < _UPSIDE_DOWN and chance < 0.01:
            found.append(
                f"the active model ranks these rows the other way round for {head} (ROC AUC "
                f"{auc:.3f} on {len(bad) + len(honest)} rows); are the labels swapped?"
            )
    return found


def unlearnable(
    before: Mapping[str, F64], after: Mapping[str, F64], lessons: Sequence[Lesson]
) -> list[str]:
    """A sentence for each head whose labels neither model tells from chance, though there are
    enough of them: a model that learns such rows by heart learns noise."""
    found = []
    for head, target in verdict_targets(lessons).items():
        known = ~np.isnan(target)
        y = target[known]
        bad = int(y.sum())
        honest = len(y) - bad
        if not bad or not honest:
            continue
        best = max(_auc(y, scores[head][known]) for scores in (before, after))
        # the standard error of the Mann-Whitney statistic where nothing is to be told
        error = np.sqrt((len(y) + 1) / (12 * bad * honest))
        if best + 1.96 * error < _TOLD_APART:
            found.append(
                f"{head} is told from the rest neither by the active model nor by one taught on "
                f"the others of these {len(y)} rows (ROC AUC {best:.3f}); are the labels right?"
            )
    return found


def _auc_gain(y: F64, old: F64, new: F64) -> tuple[float, float]:
    """The gain in ROC AUC, and the upper end of its 95 % bootstrap interval."""
    draw = np.random.default_rng(0)
    gains = []
    for _ in range(_RESAMPLES if len(y) < 20_000 else 60):
        sample = draw.integers(0, len(y), len(y))
        if 0 < y[sample].sum() < len(y):
            gains.append(_auc(y[sample], new[sample]) - _auc(y[sample], old[sample]))
    gain = _auc(y, new) - _auc(y, old)
    return gain, float(np.percentile(gains, 97.5)) if gains else 0.0


def _auc(y: F64, score: F64) -> float:
    """scikit-learn's, without the checks that take it ten times as long."""
    bad = y.sum()
    above = rankdata(score)[y == 1].sum() - bad * (bad + 1) / 2
    return float(above / (bad * (len(y) - bad)))


def thresholds(classifier: Classifier, promise: float = DEFAULT_PROMISE) -> dict[str, float]:
    """The scores from which on comments are held."""
    return {head: classifier.threshold(head, promise) for head in VERDICT_HEADS}
