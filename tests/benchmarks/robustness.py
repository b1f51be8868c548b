"""What gets past the model in disguise, and whom it treats worse.

    python -m tests.benchmarks.robustness [--model VERSION] [--models-dir DIR]

Rows of seeds/comments.csv that no model trains on are attacked as training/attacks.py lists; the
identity terms and sentences are those of training/fairness.py, after Borkan et al. 2019.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moderation import settings
from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.shelf import ModelShelf
from moderation.text import read
from moderation.verdict import Comment
from training import corpora, dataset, hygiene, measure
from training.attacks import evasion_report, false_hold_report
from training.corpora import verdict_targets
from training.fairness import report

ROOT = Path(__file__).parent.parent.parent
Score = Callable[[Sequence[str]], npt.NDArray[np.float64]]


def scorer(classifier: Classifier, head: str) -> Score:
    column = VERDICT_HEADS.index(head)

    def score(texts: Sequence[str]) -> npt.NDArray[np.float64]:
        parts = [
            classifier.scores([read(Comment(text)) for text in texts[i : i + 50]])[:, column]
            for i in range(0, len(texts), 50)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a version; else the active one")
    parser.add_argument("--models-dir", type=Path, help="else as the settings say")
    parser.add_argument("--promise", type=float, default=measure.DEFAULT_PROMISE)
    options = parser.parse_args()
    shelf = ModelShelf(options.models_dir or settings.load(os.environ).models)
    classifier = shelf.load(options.model) if options.model else shelf.active()
    (seeds,) = dataset.read([ROOT / "seeds" / "comments.csv"])
    rows = hygiene.sort(seeds.rows, corpora.lessons(seeds))
    texts = np.array([row.text for row in rows.held_out], object)
    print(f"model {classifier.version}, promise {options.promise:.2%}, {len(texts)} unseen rows")
    for head, target in verdict_targets(rows.held_out_lessons).items():
        score, bar = scorer(classifier, head), classifier.threshold(head, options.promise)
        scores = score(texts)
        caught = texts[(target == 1) & (scores >= bar)]
        print(f"\n{head}: {len(caught)} of {(target == 1).sum()} caught; share that then escapes")
        by_kind = defaultdict(list)
        for row in evasion_report(score, caught, bar, 0):
            by_kind[row.kind].append(row)
        for kind, attacks in by_kind.items():
            worst = sorted(attacks, key=lambda row: -row.share)[:4]
            named = ", ".join(f"{row.attack} {row.share:.0%}" for row in worst)
            print(f"  {kind}: {np.mean([row.share for row in attacks]):.1%} (worst: {named})")
        noise = false_hold_report(score, texts[target == 0], bar, 0)
        print(f"  new false holds by noise: {np.mean([row.share for row in noise]):.2%}")
    fair = report(scorer(classifier, "abuse"), classifier.threshold("abuse", options.promise))
    print(
        f"\nidentity terms: AUC {fair.auc:.3f}, power means: subgroup {fair.subgroup_auc:.3f}, "
        f"BPSN {fair.bpsn_auc:.3f}, BNSP {fair.bnsp_auc:.3f}; false holds {fair.false_holds:.2%}"
    )
    for term in fair.worst:
        print(f"  {term}")


if __name__ == "__main__":
    main()
