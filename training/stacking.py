"""When to ask the second opinion, how to add it up with the first, and what that gains.

All of it on rows of corpora that neither was taught (stacked generalisation, Wolpert 1992).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from moderation.classifier import VERDICT_HEADS, threshold_of
from moderation.second_opinion import ALWAYS, OUTPUTS, UNCERTAIN, rescaled
from training import recipe, validation
from training.corpora import honest_for, is_rude
from training.measure import DEFAULT_PROMISE

F64 = npt.NDArray[np.float64]

_ASKED = {
    "spam": {"spam": 0.05},
    "abuse": {"abuse": 0.07, "identity_attack": 0.07, "threat": 0.02},
}
"""For each head the scores of the linear model that are looked at, and the share of honest
comments for which each is high enough to ask. Hate without rude words scores low as abuse, but
speaks of groups."""
_SURE = 0.0005
"""At a score of spam that keeps even this promise, there is no need to ask."""
_NEVER = 1.01
_CLEARED = 0.5
"""How much of what lies below the thresholds is kept where only some are asked about: of the
comments that the encoder clears, more are bad than of those that it was never asked about."""
_CONTESTED = frozenset(["es_detoxis_news"])
"""Corpora whose ok rows the encoder holds for what they say of immigrants, which was not what the
corpus asked about: they would set the scale for all others."""
_FAR = 20.0
_FEW = 15
WHO = ("linear", UNCERTAIN, ALWAYS)
"""Whose figures stand side by side."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows that neither model was taught: targets of spam and abuse, the linear model's scores,
    and the encoder's log-odds on what was decisive for each head, (rows, outputs)."""

    names: npt.NDArray[Any]
    targets: Mapping[str, F64]
    first: Mapping[str, F64]
    said: Mapping[str, F64]

    def honest(self, head: str) -> npt.NDArray[np.bool_]:
        """Comments by which false holds of a head are counted."""
        out = _CONTESTED if head == "abuse" else ()
        fit = np.array([honest_for(name, head) and name not in out for name in self.names], bool)
        honest: npt.NDArray[np.bool_] = fit & (self.targets[head] == 0)
        return honest

    def weights(self) -> F64:
        """Corpora weigh by the square root of their size."""
        return recipe.corpus_weights(list(self.names), np.ones(len(self.names)))


def measured(unseen: Unseen, before: Mapping[str, Any]) -> dict[str, Any]:
    """When to ask, how to add up, and how to bring the sum to the linear model's scale; `before`:
    the thresholds of that."""
    bands = {head: _bands(unseen, head, before) for head in VERDICT_HEADS}
    every = np.ones(len(unseen.names), bool)
    fusion = {head: _fusion(unseen, head, every) for head in VERDICT_HEADS}
    fused = {head: _fused(unseen, head) for head in VERDICT_HEADS}
    scale: dict[str, dict[str, Any]] = {UNCERTAIN: {}, ALWAYS: {}}
    scores: dict[str, dict[str, F64]] = {"linear": dict(unseen.first), UNCERTAIN: {}, ALWAYS: {}}
    for when, head in product(scale, VERDICT_HEADS):
        near = every if when == ALWAYS else _near(unseen, bands[head])
        bars = _scale(unseen, head, near, fused[head], before[head])
        if when == UNCERTAIN:
            bars = [[bars[0][0] - _FAR, *bars[0]], [bars[1][0] - _FAR * _CLEARED, *bars[1]]]
        log_odds = np.array([rescaled(each, *bars) for each in fused[head]])
        scale[when][head] = bars
        scores[when][head] = np.where(near, 1 / (1 + np.exp(-log_odds)), unseen.first[head])
    return {
        "bands": bands,
        "fusion": fusion,
        "scale": scale,
        "asked": _asked(unseen, bands),
        "validation": _figures(unseen, scores, before),
    }


def _bands(unseen: Unseen, head: str, thresholds: Mapping[str, Any]) -> dict[str, list[float]]:
    """From which scores of the linear model on to ask, and up to which."""
    honest = unseen.honest(head)
    weight = unseen.weights()[honest]
    return {
        name: [
            round(_score_reached(unseen.first[name][honest], weight, share), 6),
            threshold_of(thresholds[name], _SURE) if name == "spam" else _NEVER,
        ]
        for name, share in _ASKED[head].items()
    }


def _near(unseen: Unseen, bands: Mapping[str, Sequence[float]]) -> npt.NDArray[np.bool_]:
    near = np.zeros(len(unseen.names), bool)
    for name, (low, high) in bands.items():
        near |= (unseen.first[name] >= low) & (unseen.first[name] < high)
    return near


def _fusion(unseen: Unseen, head: str, rows: npt.NDArray[np.bool_]) -> list[float]:
    """Constant, weight of the linear log-odds, weights of the encoder's."""
    rude = np.array([head == "abuse" and is_rude(name) for name in unseen.names])
    target = unseen.targets[head]
    known = rows & ~np.isnan(target) & ~(rude & (target == 0))
    model = LogisticRegression(C=1e3).fit(
        _evidence(unseen, head)[known], unseen.targets[head][known], unseen.weights()[known]
    )
    return [round(float(w), 5) for w in (*model.intercept_, *model.coef_[0])]


def _fused(unseen: Unseen, head: str) -> F64:
    """The log-odds by both, each corpus by weights that were found on the others."""
    log_odds = np.zeros(len(unseen.names))
    evidence = _evidence(unseen, head)
    for name in set(unseen.names):
        own = unseen.names == name
        constant, *weights = _fusion(unseen, head, ~own)
        log_odds[own] = constant + evidence[own] @ weights
    return log_odds


def _evidence(unseen: Unseen, head: str) -> F64:
    own = [i for i, output in enumerate(OUTPUTS) if (output == "spam") == (head == "spam")]
    return np.column_stack([_log_odds(unseen.first[head]), unseen.said[head][:, own]])


def _log_odds(score: F64) -> F64:
    bounded = np.clip(score, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded)))


def _scale(
    unseen: Unseen,
    head: str,
    near: npt.NDArray[np.bool_],
    fused: F64,
    thresholds: Sequence[Sequence[float]],
) -> list[list[float]]:
    """Log-odds by both, ascending, and the linear model's that hold as many honest comments of the
    same corpora: those of its thresholds, which rest on more of them."""
    honest = unseen.honest(head)
    weight = unseen.weights()[honest]
    first, asked = unseen.first[head][honest], near[honest]
    bars: dict[float, float] = {}
    for _, score in reversed(thresholds):
        # what is not asked about keeps its score, and is held as before
        share = float(weight[asked & (first >= score)].sum() / weight[asked].sum())
        bar = round(_score_reached(fused[honest][asked], weight[asked], share), 6)
        if not bars or bar > max(bars):
            bars[bar] = round(float(_log_odds(np.array(score))), 6)
    return [[*bars], [*bars.values()]]


def _score_reached(scores: F64, weight: F64, share: float) -> float:
    """The best score that no more than such a share of the weight is above."""
    order = np.argsort(-scores)
    above = np.cumsum(weight[order]) / weight.sum()
    place = int(np.searchsorted(above, share + 1e-9, side="right"))
    return float(scores[order[min(place, len(order) - 1)]])


def _asked(unseen: Unseen, bands: Mapping[str, Mapping[str, Sequence[float]]]) -> float:
    """The share of honest comments that the encoder is asked about."""
    near = _near(unseen, bands["spam"]) | _near(unseen, bands["abuse"])
    honest = unseen.honest("spam") & unseen.honest("abuse")
    weight = unseen.weights()
    return round(float(weight[near & honest].sum() / weight[honest].sum()), 4)


def _figures(
    unseen: Unseen, scores: Mapping[str, Mapping[str, F64]], thresholds: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """By head and corpus: ROC AUC, recall at 1 % false holds and what is held at the default
    promise, by each of WHO. Without own honest rows, a corpus borrows them."""
    table = []
    for head in VERDICT_HEADS:
        target = unseen.targets[head]
        bar = threshold_of(thresholds[head], DEFAULT_PROMISE)
        for name in sorted(set(unseen.names)):
            own = unseen.names == name
            bad, honest = own & (target == 1), own & (target == 0)
            if bad.sum() < _FEW:
                continue
            lent = honest if honest.sum() >= _FEW else unseen.honest(head)
            row: dict[str, Any] = {
                "head": head,
                "corpus": name,
                "honest": int(honest.sum()),
                "bad": int(bad.sum()),
            }
            for who in WHO:
                score = scores[who][head]
                found = validation.quality(name, head, row["honest"], score[lent], score[bad])
                row[who] = {
                    "auc": round(found.auc, 4),
                    "recall": round(found.recall, 4),
                    "held": round(float((score[honest] >= bar).mean()), 4)
                    if honest.any()
                    else None,
                    "caught": round(float((score[bad] >= bar).mean()), 4),
                }
            table.append(row)
    return table
