"""From margins on unseen corpora to probabilities, and to thresholds that keep a promise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from moderation.classifier import ABUSE, JUDGING_HEADS
from moderation.weights import HEADS
from training import recipe
from training.corpora import all_targets, honest_for
from training.validation import OutOfFold

F64 = npt.NDArray[np.float64]

PROMISES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
SHARES = {"spam": 0.6, "abuse": 0.4}
"""Of the promise: spam is told from honest comments so much better that the same false holds catch
three times as much of it."""
_FEW = 200
"""Honest rows below which a corpus says nothing of the far end of its scores."""


def calibrate(found: OutOfFold) -> dict[str, list[float]]:
    """Slope and offset of each head's log-odds (Platt 1999), corpora weighing alike; `abuse` maps
    the log-odds of the noisy-or of its two heads."""
    names = found.corpora()
    targets = all_targets(found.lessons)
    calibration = {
        head: platt(found.margins[:, column], targets[:, column], names)
        for column, head in enumerate(HEADS)
        if head in JUDGING_HEADS
    }
    joined = joined_log_odds(found.margins, calibration)
    calibration["abuse"] = platt(joined, found.verdict_targets()["abuse"], names)
    return calibration


def joined_log_odds(margins: F64, calibration: dict[str, list[float]]) -> F64:
    """Log-odds of "toxic or hateful", the two taken as independent causes."""
    # -log(1 - p) of each, added up
    neither = sum(
        np.logaddexp(0, margins[:, HEADS.index(head)] * slope + offset)
        for head, (slope, offset) in ((head, calibration[head]) for head in ABUSE)
    )
    log_odds: F64 = neither + np.log(np.maximum(-np.expm1(-np.asarray(neither)), 1e-300))
    return log_odds


def scores(margins: F64, calibration: dict[str, list[float]]) -> dict[str, F64]:
    """Calibrated probabilities of spam and abuse."""
    (s, so), (a, ao) = calibration["spam"], calibration["abuse"]
    return {
        "spam": _sigmoid(margins[:, 0] * s + so),
        "abuse": _sigmoid(joined_log_odds(margins, calibration) * a + ao),
    }


def _sigmoid(log_odds: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))))


def platt(margins: F64, targets: F64, names: npt.NDArray[Any]) -> list[float]:
    """Slope and offset that turn margins into calibrated log-odds (Platt 1999)."""
    known = ~np.isnan(targets) & ~np.isnan(margins)
    if len(set(targets[known])) < 2:
        return [1.0, 0.0]
    x, y = margins[known], targets[known]
    weight = recipe.corpus_weights(list(names[known]), np.ones(known.sum()))
    weight /= weight.sum()

    def loss(at: F64) -> float:
        z = np.exp(at[0]) * x + at[1]
        return float((weight * (np.logaddexp(0, z) - y * z)).sum())

    best = minimize(loss, np.array([-1.0, 0.0]), method="L-BFGS-B").x
    return [round(float(np.exp(best[0])), 6), round(float(best[1]), 6)]


def thresholds(
    found: OutOfFold, calibration: dict[str, list[float]]
) -> dict[str, list[list[float]]]:
    """For each head, pairs of a promise and the score that keeps its share of it, on honest rows
    of corpora with enough of them, which weigh by the square root of their size."""
    table = {}
    names = found.corpora()
    for head, score in scores(found.margins, calibration).items():
        target = found.verdict_targets()[head]
        honest = (target == 0) & ~np.isnan(score) & found.readable[head]
        honest &= np.array([honest_for(name, head) for name in names], bool)
        size = Counter(names[honest])
        enough = min(_FEW, max(size.values(), default=0))
        weight = np.array([size[n] ** -0.5 if size[n] >= enough else 0.0 for n in names[honest]])
        if not honest.any():  # nothing is known of this head, so it holds nothing
            table[head] = [[promise, 1.0] for promise in PROMISES]
            continue
        order = np.argsort(-score[honest])
        share = np.cumsum(weight[order]) / weight.sum()
        ranked = score[honest][order]
        table[head] = [
            [promise, round(float(np.nextafter(ranked[place], 2)), 6)]
            for promise, place in zip(
                PROMISES, np.searchsorted(share, np.array(PROMISES) * SHARES[head]), strict=True
            )
        ]
    return table
