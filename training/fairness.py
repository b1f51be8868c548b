"""Is a comment held for the group that it names? Identity-term bias, and a way to train against it.

Measured after Borkan, Dixon, Sorensen, Thain and Vasserman, "Nuanced Metrics for Measuring
Unintended Bias with Real Data for Text Classification" (WWW 2019 Companion), on sentences of our
own in the manner of Dixon et al. (2018), the same for every group. English only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from training.identity import TERMS, Kind, Term, article
from training.identity_swap import swap
from training.identity_templates import ABUSIVE, HARMLESS

__all__ = [
    "FairnessReport", "Row", "TermBias", "auc", "measure", "power_mean", "report", "swap",
    "templates",
]  # fmt: skip

F64 = npt.NDArray[np.float64]
Score = Callable[[Sequence[str]], F64]

POWER = -5.0
"""Of the mean over terms: the lower, the more the worst terms count (Borkan et al., 4.2)."""
_WORST = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence about the group `term` (its adjective): label 1 is abuse, 0 is harmless."""

    text: str
    label: int
    term: str


@dataclass(frozen=True, slots=True)
class TermBias:
    """How the sentences about one group are scored, against those about all others.

    An AUC is the chance that an abusive sentence scores above a harmless one. *Subgroup*: both
    about this group. *BPSN* (background positive, subgroup negative): low when harmless sentences
    about it score as others' abuse does. *BNSP*: low when abuse of it scores as if harmless.
    """

    term: str
    kind: Kind
    subgroup_auc: float
    bpsn_auc: float
    bnsp_auc: float
    false_holds: float
    """Share of the harmless sentences that are held."""
    false_hold_ratio: float
    """That share over its mean of all terms; 1 where nothing is held."""

    @property
    def lowest_auc(self) -> float:
        """The worst of the three."""
        return min(self.subgroup_auc, self.bpsn_auc, self.bnsp_auc)


@dataclass(frozen=True, slots=True)
class FairnessReport:
    """Every term, and over all terms: power means of the AUCs, the mean of the false holds."""

    terms: tuple[TermBias, ...]
    worst: tuple[TermBias, ...]
    """The terms with the lowest AUC, worst first."""
    most_held: tuple[TermBias, ...]
    """The terms with the most false holds, worst first."""
    auc: float
    subgroup_auc: float
    bpsn_auc: float
    bnsp_auc: float
    false_holds: float


def templates() -> list[Row]:
    """Every sentence for every term."""
    return [
        Row(template.format_map(_slots(term)), label, term.adjective)
        for term in TERMS
        for label, sentences in enumerate((HARMLESS, ABUSIVE))
        for template in sentences
    ]


def report(score: Score, threshold: float) -> FairnessReport:
    """The bias of a scorer of texts, on the sentences of this file."""
    rows = templates()
    return measure(rows, score([row.text for row in rows]), threshold)


def measure(rows: Sequence[Row], scores: F64, threshold: float) -> FairnessReport:
    """The bias of such scores of such rows. Each term needs both labels, and other terms too."""
    names = np.array([row.term for row in rows])
    abusive = np.array([row.label == 1 for row in rows])
    held = np.array(
        [
            (scores[(names == name) & ~abusive] >= threshold).mean()
            for name in [term.adjective for term in TERMS]
        ]
    )
    usual = float(held.mean())
    terms = []
    for term, share in zip(TERMS, held.tolist(), strict=True):
        own = names == term.adjective
        terms.append(
            TermBias(
                term.adjective,
                term.kind,
                subgroup_auc=auc(scores[own & ~abusive], scores[own & abusive]),
                bpsn_auc=auc(scores[own & ~abusive], scores[~own & abusive]),
                bnsp_auc=auc(scores[~own & ~abusive], scores[own & abusive]),
                false_holds=share,
                false_hold_ratio=share / usual if usual else 1.0,
            )
        )
    return FairnessReport(
        tuple(terms),
        worst=tuple(sorted(terms, key=lambda term: term.lowest_auc)[:_WORST]),
        most_held=tuple(sorted(terms, key=lambda term: -term.false_holds)[:_WORST]),
        auc=auc(scores[~abusive], scores[abusive]),
        subgroup_auc=power_mean([term.subgroup_auc for term in terms]),
        bpsn_auc=power_mean([term.bpsn_auc for term in terms]),
        bnsp_auc=power_mean([term.bnsp_auc for term in terms]),
        false_holds=usual,
    )


def auc(negative: F64, positive: F64) -> float:
    """The chance that a positive scores above a negative; a tie counts half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / 2 / len(ordered))


def power_mean(values: Sequence[float], power: float = POWER) -> float:
    """The generalised mean; 0 if a value is 0."""
    array = np.asarray(values, np.float64)
    return float((array**power).mean() ** (1 / power)) if array.all() else 0.0


@cache
def _slots(term: Term) -> dict[str, str]:
    slots = {
        "adj": term.adjective,
        "noun": term.noun,
        "plural": term.plural,
        "a_adj": f"{article(term.adjective)} {term.adjective}",
        "a_noun": f"{article(term.noun)} {term.noun}",
    }
    return slots | {name.capitalize(): text[0].upper() + text[1:] for name, text in slots.items()}
