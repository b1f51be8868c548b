"""CARD.md: what the model was trained on, and how good it is on what it did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.classifier import VERDICT_HEADS
from training import corpora, measure, recipe, validation
from training.licences import LICENCES
from training.measure import Figures
from training.validation import OutOfFold, Quality

F64 = npt.NDArray[np.float64]

_COMPARED = ("auc", "precision", "recall", "held", "caught", "calibration_error", "log_loss")
_USES_TO_AVOID = """\
## Uses to avoid
- As the last word on a person: a hold is for a moderator to look at, not a judgement of its author.
- For languages that are not listed above, or for private messages, job applications or policing.
- Abuse without rude words, irony, quotations and slang of small groups are where it errs most.
- Scores are probabilities on the corpora above; a site with much less or more abuse differs.
"""


_HELD_OUT = ", and one row in ten was held out."
_BESIDE = (
    " Behind the slash: a plain scikit-learn pipeline (TF-IDF of words 1-2 and characters 2-5, "
    "logistic regression) on the same rows, without the marks that some blogs' imports left in "
    "honest comments only."
)


def write(
    version: str, manifest: Mapping[str, Any], sections: Sequence[str], plots: Sequence[str]
) -> str:
    """The card as Markdown."""
    rows = sum(corpus["rows"] for corpus in manifest["corpora"])
    origin = manifest.get("taught_on_top_of")
    head = [
        f"# Model {version}",
        "",
        f"Trained {manifest['created']} on {rows:,} rows of {len(manifest['corpora'])} files"
        + (f", on top of model {origin}." if origin else "."),
        "Says how likely a comment is spam, and how likely abuse (toxicity or hate), with the "
        "words behind it. Linear heads over hashed words and character n-grams; eight-bit weights.",
        "",
        "Languages judged: "
        + "; ".join(f"{h}: {', '.join(manifest['languages'][h]) or 'none'}" for h in VERDICT_HEADS)
        + ". Other languages are answered `evaluated: false`.",
        "",
    ]
    if teacher := manifest.get("teacher"):
        head += [
            f"It was also taught {teacher['pieces']:,} pieces of comments, a few words "
            f"each, as the encoder {teacher['name']} judges them (distillation, Hinton et al. "
            "2015). A corpus that this encoder had seen, or a related one, is judged below by a "
            "model that was taught no pieces, on the scale of the other.",
            "",
        ]
    pictures = [f"![{name.removesuffix('.png')}]({name})" for name in plots]
    return "\n".join([*head, *sections, *pictures, "", _USES_TO_AVOID, *_corpora(manifest)]) + "\n"


def _corpora(manifest: Mapping[str, Any]) -> list[str]:
    below = manifest.get("taught_on_top_of")
    base = f" on top of the model {below}" if below else ""
    lines = [
        "## Trained on",
        "",
        "No row of these files is in the model or in this repository. Copies and contradictions "
        "were left out (`label-report.csv`)"
        + (". Of our own seeds it was to go on saying what it said." if below else _HELD_OUT),
        "",
        f"The command, which gives the same weights again{base} (SHA-256 "
        f"`{manifest['weights_sha256']}`):",
        "",
        f"    {manifest['command']}",
        "",
        "| file | rows | labels | licence | SHA-256 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for corpus in manifest["corpora"]:
        labels = ", ".join(f"{label} {n}" for label, n in sorted(corpus["labels"].items()))
        licence = LICENCES.get(corpus["name"], "the site's own")
        lines.append(
            f"| {corpus['name']} | {corpus['rows']} | {labels} | {licence} | `{corpus['sha256']}` |"
        )
    return lines


def validated(
    found: OutOfFold,
    scores: Mapping[str, F64],
    table: Sequence[Quality],
    plain: Sequence[Quality] | None,
    thresholds: Mapping[str, Sequence[Sequence[float]]],
) -> list[str]:
    """Corpus by corpus, each judged by a model that did not see it."""
    beside = {(q.corpus, q.head): q for q in plain or ()}
    lines = [
        "## On corpora left out of training",
        "",
        "Each corpus is judged by a model trained without it and its relatives (our own seeds: by "
        "rows); at most 4,000 rows of each teach and are judged, of our seeds all teach. Recall is "
        "at 1 % false holds. A corpus of one kind is ranked against the honest rows of its fold."
        + (_BESIDE if plain else ""),
        "",
        "| head | corpus | honest | bad | ROC AUC | average precision | recall |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for q in table:
        other = beside.get((q.corpus, q.head))
        cells = [
            _number(mine) + (f" / {_number(getattr(other, name))}" if other else "")
            for name, mine in (("auc", q.auc), ("precision", q.precision), ("recall", q.recall))
        ]
        lines.append(f"| {q.head} | {q.corpus} | {q.honest} | {q.bad} | {' | '.join(cells)} |")
    for head in VERDICT_HEADS:
        lines.append(_mean_row(head, table, plain))
    return [*lines, "", *_promises(found, scores, thresholds)]


def _mean_row(head: str, table: Sequence[Quality], plain: Sequence[Quality] | None) -> str:
    def mean(rows: Sequence[Quality] | None, name: str) -> str:
        values = [getattr(q, name) for q in rows or () if q.head == head]
        known = [value for value in values if not np.isnan(value)]
        return _number(float(np.mean(known)) if known else np.nan) if values else ""

    cells = [
        " / ".join(filter(None, (mean(table, name), mean(plain, name))))
        for name in ("auc", "precision", "recall")
    ]
    return f"| **{head}** | **mean** | | | {' | '.join(f'**{cell}**' for cell in cells)} |"


def _promises(
    found: OutOfFold, scores: Mapping[str, F64], thresholds: Mapping[str, Sequence[Sequence[float]]]
) -> list[str]:
    names = found.corpora()
    weights = recipe.corpus_weights(list(names), np.ones(len(names)))
    lines = [
        "## What a promise costs",
        "",
        "A promise is the share of honest comments held; spam gets 60 % of it, abuse 40 %. Shares "
        "are of the rows above, corpora weighing by the square root of their size.",
        "",
        "| promise | head | holds from a score of | honest rows held (95 % interval) | bad held |",
        "| --- | --- | --- | --- | --- |",
    ]
    for head in VERDICT_HEADS:
        target = found.verdict_targets()[head]
        honest = (target == 0) & np.array([corpora.honest_for(n, head) for n in names], bool)
        bad = target == 1
        if not honest.any():
            continue
        for promise, bar in thresholds[head]:
            held = scores[head] >= bar
            low, high = measure.interval(int(held[honest].sum()), int(honest.sum()))
            caught = (
                float((weights * held)[bad].sum() / weights[bad].sum()) if bad.any() else np.nan
            )
            lines.append(
                f"| {promise:.2%} | {head} | {bar:.4f} | {held[honest].mean():.2%} "
                f"({low:.2%} to {high:.2%} of {honest.sum():,}) | {caught:.1%} |"
            )
        error = validation.expected_calibration_error(target, scores[head], weights)
        lines.append(f"| | {head} | expected calibration error | {error:.3f} | |")
    return [*lines, ""]


def compared(
    name: str, old: Sequence[Figures] | None, new: Sequence[Figures], champion: str | None
) -> list[str]:
    """Figures on rows that no model trained on, beside the active model's."""
    lines = [
        f"## On {name}",
        "",
        *([f"Behind the slash: the model that was active, {champion}.", ""] if old else []),
        "| head | honest | bad | ROC AUC | average precision | recall at 1 % | honest held at the "
        "default promise | bad held | calibration error | log loss |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    before = {f.head: f for f in old or ()}
    for f in new:
        cells = [
            _number(getattr(f, field))
            + (f" / {_number(getattr(before[f.head], field))}" if f.head in before else "")
            for field in _COMPARED
        ]
        lines.append(f"| {f.head} | {f.honest} | {f.bad} | {' | '.join(cells)} |")
    return [*lines, ""]


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def plain(figures: Sequence[Figures]) -> list[dict[str, Any]]:
    """Figures for the manifest: plain numbers, null where there is none."""
    return [
        {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name in Figures.__slots__
            for value in [getattr(f, name)]
        }
        for f in figures
    ]
