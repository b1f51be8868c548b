"""The shipped model with the second opinion, and it alone, on the same comments in one run.

    python -m tests.benchmarks.second_opinion [--runs N] [CSV ...]

Without a file, `seeds/pairs.csv`: comments that name the same groups and use the same words in
abuse and in honesty, of which neither was taught any. ROC AUC, what is caught and held at the
default promise, how many are asked about, and CPU time for one comment.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.second_opinion import ALWAYS, UNCERTAIN
from moderation.shelf import ModelShelf, shipped
from moderation.verdict import Comment
from tests.benchmarks import machine
from training import corpora, dataset, measure

PAIRS = Path(__file__).parents[2] / "seeds" / "pairs.csv"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("csv", nargs="*", type=Path, default=[PAIRS])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    rows, lessons = corpora.taught(dataset.read(given.csv))
    alone = ModelShelf(shipped()).active()
    both = ModelShelf(shipped(), consult=UNCERTAIN).active()
    always = ModelShelf(shipped(), consult=ALWAYS).active()
    if both.second is None:
        raise SystemExit("pip install 'moderation[second-opinion]' first")
    print(f"{machine.describe()}; {len(rows)} comments\n")
    comments = [row.comment() for row in rows]
    asked = sum(found.second_opinion for found in both.assess(comments))
    print(f"asked about {asked / len(rows):.1%} of these comments")
    sides = (
        ("the model alone", alone),
        ("with the second opinion", both),
        ("with the second opinion, always", always),
    )
    for name, model in sides:
        found = measure.figures(measure.score(model, rows), lessons, measure.thresholds(model))
        for one in found:
            if one.head in VERDICT_HEADS and one.bad:
                print(
                    f"{name}, {one.head}: ROC AUC {one.auc:.3f}, recall at 1 % {one.recall:.3f}, "
                    f"held {one.held:.2%} of {one.honest}, caught {one.caught:.1%} of {one.bad}"
                )
        times = [_microseconds(model, comments) for _ in range(given.runs)]
        spread = f"{statistics.median(times):.0f} ({min(times):.0f} to {max(times):.0f})"
        print(f"{name}: {spread} us of CPU for one comment, one at a time")


def _microseconds(model: Classifier, comments: Sequence[Comment]) -> float:
    started = time.process_time()
    for comment in comments:
        model.assess([comment])
    return (time.process_time() - started) / len(comments) * 1e6


if __name__ == "__main__":
    main()
