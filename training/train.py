"""One CSV's way to a served model: read, sort, validate, fit, measure, gate, save, activate."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation import artefact, drift
from moderation.classifier import FINE_LABELS, VERDICT_HEADS, Classifier
from moderation.errors import ModelRefused, UnknownModel
from moderation.shelf import ModelShelf
from moderation.verdict import Comment
from moderation.weights import HEADS
from training import (
    calibration,
    card,
    corpora,
    dataset,
    gate,
    hygiene,
    languages,
    recipe,
    validation,
)
from training.baseline import plain_qualities
from training.corpora import Lesson
from training.curriculum import fitted
from training.dataset import Corpus, Row, key
from training.plots import plots
from training.progress import Steps
from training.teach import teach
from training.teacher import NO_PIECES, Teacher

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "joblib")
_REHEARSED = 6_000
_MOST_ON_TOP = 20_000
"""Rows beyond which a correction takes longer than a new model."""
_CANARIES = (
    "Thank you, this answered the question I had since spring.",
    "I lost my savings to a fake broker, then a recovery expert on telegram got all my bitcoin "
    "back within two days. Contact him now!",
    "You are a disgusting idiot and everybody here hates you.",
    "The bombing killed eleven people; the ministry has not published their names.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained model, and what the comparison with the active one says of it."""

    version: str
    folder: Path
    losses: list[str]
    report: str
    compared_with: str | None


@dataclass(slots=True)
class _Draft:
    """A model that is not saved yet."""

    linear: recipe.Linear
    manifest: dict[str, Any]
    plots: dict[str, bytes] = field(default_factory=dict)
    doubts: list[hygiene.Doubt] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)


def run(
    paths: Sequence[Path],
    shelf: ModelShelf,
    *,
    mapping: Mapping[str, str],
    from_scratch: bool,
    baseline: bool,
    seed: int,
    steps: Steps,
    teacher: Teacher | None = None,
) -> Outcome:
    """Trains on these files and saves the model; activates nothing.

    Raises BadDataset for input that cannot be trained on; then nothing was written.
    """
    found = dataset.read(paths, mapping)
    champion = _champion(shelf, needed=not from_scratch)
    if from_scratch or champion is None:
        draft, losses = _afresh(found, champion, baseline, seed, steps, teacher)
        options = ["--from-scratch", "--seed", str(seed)]
        if teacher:
            options += ["--teacher", _as_named(teacher.folder)]
    else:
        draft, losses = _on_top(found, champion, steps)
        options = []
    options += [part for pair in mapping.items() for part in ("--map", "=".join(pair))]
    draft.manifest["command"] = shlex.join(
        ["moderation", "train", *options, *map(_as_named, paths)]
    )
    version, folder = _save(draft, found, shelf, champion)
    report = "\n".join(draft.sections)
    return Outcome(version, folder, losses, report, champion.version if champion else None)


def _as_named(path: Path) -> str:
    # a model is handed on, and nobody else needs to know this machine's folders
    return path.name if path.is_absolute() else path.as_posix()


def _champion(shelf: ModelShelf, *, needed: bool) -> Classifier | None:
    try:
        return shelf.active()
    except UnknownModel:
        return None
    except ModelRefused:
        if needed:
            raise
        return None  # a broken model is what training from scratch mends


def _afresh(
    found: Sequence[Corpus],
    champion: Classifier | None,
    baseline: bool,
    seed: int,
    steps: Steps,
    teacher: Teacher | None,
) -> tuple[_Draft, list[str]]:
    ordered = hygiene.sort(*corpora.taught(found))
    _enough(found, ordered.lessons)
    mixed = np.random.default_rng(seed).permutation(len(ordered.rows))
    rows, lessons = [ordered.rows[i] for i in mixed], [ordered.lessons[i] for i in mixed]
    pieces = teacher.pieces(rows, seed, steps) if teacher else NO_PIECES
    with steps("Leaving corpora out", validation.FOLDS) as done:
        unseen = validation.leave_corpora_out(rows, lessons, seed, lambda: done(1), teacher, pieces)
    linear = fitted(rows, lessons, seed, steps, pieces)
    calibrated = calibration.calibrate(unseen)
    calibrated |= _fine_calibration(linear, ordered.held_out, ordered.held_out_lessons)
    thresholds = calibration.thresholds(unseen, calibrated)
    draft = _Draft(linear, {"calibration": calibrated, "thresholds": thresholds})
    if teacher:
        draft.manifest["teacher"] = {"name": teacher.encoder.name, "pieces": len(pieces)}
    draft.manifest["languages"] = languages.judged(
        languages.codes(rows), corpora.verdict_targets(lessons)
    )
    scores = calibration.scores(unseen.margins, calibrated)
    table = validation.qualities(unseen.corpora(), unseen.folds, unseen.verdict_targets(), scores)
    draft.doubts = ordered.doubts + [
        hygiene.Doubt(row, "label looks wrong", f"{head} {score:.3f} by the other corpora")
        for row, head, score in validation.suspects(unseen, scores)
    ]
    plain = None
    if baseline:
        with steps("Plain pipeline, corpora left out", validation.FOLDS * 2) as done:
            plain = plain_qualities(unseen, lambda: done(1))
    draft.manifest["validation"] = validation.as_json(table)
    draft.manifest["scores"] = _score_counts(scores)
    draft.sections = card.validated(unseen, scores, table, plain, thresholds)
    draft.plots = plots(unseen, scores)
    held_out = ordered.pairs(held_out=True)
    name = "rows held out of all corpora"
    if champion is not None and len(pairs := gate.with_seeds(held_out)) > len(held_out):
        held_out, name = pairs, f"{name}, and of our seeds where those are few"
    return draft, _compare(draft, champion, held_out, name)


def _enough(found: Sequence[Corpus], lessons: Sequence[Lesson]) -> None:
    """Raises BadDataset where no head has enough rows of both kinds to learn from."""
    targets = corpora.all_targets(lessons)
    targets = targets[np.array([lesson.weight > 0 for lesson in lessons], bool)]
    rows = int(np.minimum((targets == 0).sum(0), (targets == 1).sum(0)).max())
    if rows < recipe.MIN_EXAMPLES:
        raise dataset.unusable(
            found,
            f"too few rows to begin a model with: without copies and held-out rows {rows} of one "
            f"kind are left, and {recipe.MIN_EXAMPLES} of each are needed; add rows, or leave out "
            "--from-scratch to teach the active model with these",
        )


def _on_top(
    found: Sequence[Corpus], champion: Classifier, steps: Steps
) -> tuple[_Draft, list[str]]:
    ordered = hygiene.sort(*corpora.taught(found), hold_out=False)
    rehearsal, general = gate.seeds()
    held_out = {key(row.text) for row, _ in general}
    site = {key(row.text): (row, lesson) for row, lesson in ordered.pairs()}
    own = [pair for name, pair in site.items() if name not in held_out]
    if not own:
        raise dataset.unusable(found, "no row is left to learn from: they contradict each other")
    if len(own) > _MOST_ON_TOP:
        raise dataset.unusable(
            found,
            f"{len(own):,} rows are too many to teach the active model; sample up to "
            f"{_MOST_ON_TOP:,} of them, or train a new one with --from-scratch",
        )
    rehearsal = [(row, lesson) for row, lesson in rehearsal if key(row.text) not in site]
    rehearsal = rehearsal[:: len(rehearsal) // _REHEARSED + 1]
    with steps("Teaching", 3) as done:
        taught = teach(champion, recipe.Linear.of(champion), own, rehearsal, lambda: done(1))
    kept = ("calibration", "thresholds", "languages", "validation", "scores")
    draft = _Draft(taught.model, {name: champion.manifest.get(name) for name in kept})
    draft.doubts = ordered.doubts
    draft.manifest["taught_on_top_of"] = champion.version
    losses = _compare(draft, champion, general, "general validation (our seeds)")
    compared = gate.compare_taught(champion, own, taught.unseen)
    draft.sections += compared.section
    return draft, losses + compared.losses


def _compare(draft: _Draft, champion: Classifier | None, pairs: gate.Pairs, name: str) -> list[str]:
    compared = gate.compare(champion, _loaded(draft), pairs, name)
    draft.manifest["held_out"] = card.plain(compared.figures)
    draft.sections += compared.section
    return compared.losses


def _save(
    draft: _Draft, found: Sequence[Corpus], shelf: ModelShelf, champion: Classifier | None
) -> tuple[str, Path]:
    arrays = draft.linear.quantised()
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    now = datetime.now(UTC)
    version = f"{now:%Y.%m.%d}-{digest[:8]}"
    if (shelf.folder / version / artefact.MANIFEST).is_file():
        return version, shelf.folder / version  # the same rows and seed, on the same day
    manifest = {
        **draft.manifest,
        "created": now.isoformat(timespec="seconds"),
        "weights_sha256": digest,
        "libraries": {"python": platform.python_version()}
        | {name: installed(name) for name in _LIBRARIES},
        "corpora": [
            {"name": c.name, "sha256": c.sha256, "rows": len(c.rows), "labels": dict(c.labels)}
            for c in found
        ],
        "canaries": _canaries(_loaded(draft)),
    }
    text = card.write(version, manifest, draft.sections, list(draft.plots))
    files = {**draft.plots, "label-report.csv": hygiene.as_csv(draft.doubts).encode()}
    return version, artefact.save(shelf.folder, version, arrays, manifest, text, files)


def _fine_calibration(
    linear: recipe.Linear, rows: Sequence[Row], lessons: Sequence[Lesson]
) -> dict[str, list[float]]:
    """Fine labels stand in a few corpora each, so rows are left out for them, not corpora."""
    if not rows:
        return {head: [1.0, 0.0] for head in FINE_LABELS}
    margins = recipe.margins(linear, rows, np.arange(len(rows)))
    targets = corpora.all_targets(lessons)
    names = np.array([row.corpus for row in rows])
    return {
        head: calibration.platt(margins[:, column], targets[:, column], names)
        for column, head in enumerate(HEADS)
        if head in FINE_LABELS
    }


def _score_counts(scores: Mapping[str, npt.NDArray[np.float64]]) -> dict[str, Any]:
    """What a site's own scores are held against."""
    counted = {head: drift.counted(found[np.isfinite(found)]) for head, found in scores.items()}
    return {"edges": list(drift.EDGES), **counted}


def _loaded(draft: _Draft) -> Classifier:
    return Classifier("draft", draft.manifest, draft.linear.quantised())


def _canaries(classifier: Classifier) -> list[dict[str, Any]]:
    assessed = classifier.assess([Comment(text) for text in _CANARIES])
    return [
        {"text": text, **{head: round(a.scores[head], 6) for head in VERDICT_HEADS}}
        for text, a in zip(_CANARIES, assessed, strict=True)
    ]
