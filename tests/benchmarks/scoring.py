"""Our model beside the pipeline that one would write first, trained on the same rows in this run.

    python -m tests.benchmarks.scoring [--runs N] [--sample N] [CSV ...]

Quality of both on the same held-out fifth; microseconds of CPU for a comment of about 400
characters, one at a time and in a batch; and `moderation score` as a whole (start, CSV, HTML
policy, checks, both heads) by CPU-seconds. The plain pipeline is training/baseline.py: TF-IDF of
words and characters and a logistic regression. It is timed for one head and for both.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.shelf import ModelShelf
from moderation.text import read
from moderation.verdict import Comment
from tests.benchmarks import machine
from training import baseline, corpora, dataset
from training.corpora import verdict_targets

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
_TEST_SHARE = 5
_WHOLE = 10_000
_BATCH = 2_000
_SINGLE = 300
_AT_ONCE = 60

Row = tuple[dataset.Row, dict[str, float]]


def sample(corpus: dataset.Corpus, most: int) -> Iterator[Row]:
    """Some rows of a file with what they say of each head."""
    told = verdict_targets(corpora.lessons(corpus))
    rows = [
        (row, {head: float(y[place]) for head, y in told.items() if not np.isnan(y[place])})
        for place, row in enumerate(corpus.rows)
    ]
    random.Random(0).shuffle(rows)
    yield from rows[:most]


def is_test(row: dataset.Row) -> bool:
    """By the text, so that equal texts fall on the same side."""
    return hashlib.sha256(dataset.key(row.text).encode()).digest()[0] % _TEST_SHARE == 0


def trained(rows: Sequence[Row], folder: Path) -> Classifier:
    """Our model, by the command."""
    files: dict[str, list[dataset.Row]] = {}
    for row, _ in rows:
        files.setdefault(row.corpus, []).append(row)
    for name, some in files.items():
        place = folder / "rows" / f"{name}.csv"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label", "fine_label", "author", "author_url"])
            writer.writerows(
                [r.text, r.label, ";".join(sorted(r.fine_labels)), r.author, r.author_url]
                for r in some
            )
    models = folder / "models"
    options = ["--from-scratch", "--no-activate", "--models-dir", models]
    machine.run("train", *options, *(folder / "rows").rglob("*.csv"))
    (version,) = (place.name for place in models.iterdir() if place.is_dir())
    return ModelShelf(models).load(version)


def plain(rows: Sequence[Row]) -> dict[str, Any]:
    """The plain pipelines, one for each head."""
    fitted = {}
    for head in VERDICT_HEADS:
        told = [(row.text, y[head]) for row, y in rows if head in y]
        fitted[head] = baseline.fit([text for text, _ in told], [int(y > 0.5) for _, y in told])
    return fitted


def quality(ours: Classifier, theirs: dict[str, Any], rows: Sequence[Row]) -> None:
    """A table of both models on unseen rows."""
    print("| unseen rows | rows | ROC AUC | average precision | caught at 1 % false holds |")
    print("| --- | --- | --- | --- | --- |")
    for head in VERDICT_HEADS:
        told = [(row, y[head] > 0.5) for row, y in rows if head in y]
        target = np.array([y for _, y in told])
        assessed = ours.assess([row.comment() for row, _ in told])
        scores = {
            "ours": np.array([each.scores[head] for each in assessed]),
            "plain": theirs[head].predict_proba([row.text for row, _ in told])[:, 1],
        }
        for name, score in scores.items():
            limit = np.quantile(score[~target], 0.99)
            print(
                f"| {head}, {name} | {len(told)} | {roc_auc_score(target, score):.4f} "
                f"| {average_precision_score(target, score):.4f} "
                f"| {(score[target] > limit).mean():.3f} |"
            )


def cpu(work: Callable[[], object], comments: int) -> float:
    """Microseconds of CPU for each comment."""
    started = time.process_time()
    work()
    return (time.process_time() - started) / comments * 1e6


def scored(ours: Classifier, comments: Sequence[Comment]) -> None:
    """What the plain pipeline does too: from texts to probabilities, and no more."""
    for start in range(0, len(comments), _AT_ONCE):
        ours.scores([read(comment) for comment in comments[start : start + _AT_ONCE]])


def speed(ours: Classifier, theirs: dict[str, Any], texts: Sequence[str], runs: int) -> list[float]:
    """A table of both models' speed; the plain one's microseconds in batch for one head."""
    some, comments = texts[:_SINGLE], [Comment(text) for text in texts]
    spam = theirs["spam"]
    works: dict[str, Callable[[], float]] = {
        "ours, both heads, single": lambda: cpu(
            lambda: [ours.assess([comment]) for comment in comments[:_SINGLE]], len(some)
        ),
        "plain, one head, single": lambda: cpu(
            lambda: [spam.predict_proba([text]) for text in some], len(some)
        ),
        "ours, both heads, batch": lambda: cpu(lambda: ours.assess(comments), len(texts)),
        "ours, without the language": lambda: cpu(lambda: scored(ours, comments), len(texts)),
        "plain, one head, batch": lambda: cpu(lambda: spam.predict_proba(texts), len(texts)),
        "plain, both heads, batch": lambda: cpu(
            lambda: [theirs[head].predict_proba(texts) for head in VERDICT_HEADS], len(texts)
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):  # in turn, so that a busy moment meets all of them
        for name, work in works.items():
            taken[name].append(work())
    print("\n| microseconds of CPU per comment | median (least-most) |\n| --- | --- |")
    for name, values in taken.items():
        print(f"| {name} | {machine.spread(values)} |")
    return taken["plain, one head, batch"]


def whole(folder: Path, texts: Sequence[str], runs: int) -> list[float]:
    """Microseconds of CPU for each row of `moderation score`, its start included."""
    source = folder / "comments.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text"])
        writer.writerows([texts[number % len(texts)]] for number in range(_WHOLE))
    command = ("score", source, "-o", folder / "scored.csv", "--models-dir", folder / "models")
    return [machine.run(*command).cpu_seconds / _WHOLE * 1e6 for _ in range(runs)]


def main() -> None:
    """Train both, compare, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", nargs="*", type=Path, help="labelled files; else our seeds and data")
    parser.add_argument("--sample", type=int, default=1_500, help="at most so many rows of a file")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    files = given.csv or [ROOT / "seeds" / "comments.csv", *sorted(DATA.glob("*/*.csv"))]
    rows = [row for corpus in dataset.read(files) for row in sample(corpus, given.sample)]
    random.Random(0).shuffle(rows)
    train = [row for row in rows if not is_test(row[0])]
    test = [row for row in rows if is_test(row[0])]
    print(f"{machine.describe()}; {len(files)} files, trained on {len(train)} rows\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = trained(train, folder), plain(train)
        quality(ours, theirs, test)
        texts = [row.text for row, _ in rows if 300 <= len(row.text) <= 500]
        texts = [texts[number % len(texts)] for number in range(_BATCH)]
        print(
            f"\n{len({*texts})} comments of {np.mean([len(text) for text in texts]):.0f} characters"
        )
        batch = speed(ours, theirs, texts, given.runs)
        scored = whole(folder, texts, given.runs)
    print(f"| `moderation score`, {_WHOLE} rows | {machine.spread(scored)} |")
    ratio = np.median(batch) / np.median(scored)
    print(f"\n`moderation score`: {ratio:.1f} times the plain pipeline's comments per CPU-second")


if __name__ == "__main__":
    main()
