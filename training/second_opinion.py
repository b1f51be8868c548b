"""The second opinion, from the labelled CSVs to the folder that the service reads.

    python -m training.second_opinion CSV… -o FOLDER

Some corpora are kept out of the encoder's lessons, and of a linear model that is fitted for the
purpose alone. On these it is found when to ask, how to add up what both say, and what it gains.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from moderation import shelf
from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.folding import fold
from moderation.language import UNDETERMINED
from moderation.second_opinion import (
    ENCODER,
    FORMAT,
    MANIFEST,
    OUTPUTS,
    VOCABULARY,
    passage,
)
from moderation.text import read
from training import corpora, dataset, hygiene, recipe, stacking
from training.corpora import Lesson
from training.curriculum import fitted
from training.dataset import Row, key
from training.progress import steps
from training.teacher import NO_PIECES, Teacher, is_kept_out, is_readable

F64 = npt.NDArray[np.float64]

CARD = "CARD.md"
LANGUAGES = (*"ar de en es fr id it ja ko nl pl pt ru tr uk vi zh".split(), UNDETERMINED)
"""Those that the linear model judges; a text too short to tell is of the language around it."""
KEPT_OUT = frozenset(
    [
        "cad_reddit",
        "hard_negatives_topics",
        "goemotions_weak_ok",
        "stormfront_vicomtech",
        "toxigen_human_prompts",
        "hatemoji_build",
        "convabuse",
        "reddit_removed_by_mods",
        "jigsaw_wikipedia_5k_lower",
        "blog_gabeluci_to2023",
        "blog2_willymcallister",
        "youtube_uci380_4videos",
        "blog_yasoob",
        "blog2_mindbyte",
        "blog2_wouterbulten",
        "de_uniwue_comments",
        "pt_fortuna2019",
        "es_detoxis_news",
        "blog2_zongren",
        "blog2_rom1v_to2013",
    ]
)
_ROWS_PER_CORPUS = 2_500
_SHARES = (0.35, 0.35, 0.30)
"""Of the lessons, by output."""
_BAD = 0.45


@click.command()
@click.argument("csv", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--output", "folder", required=True, type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Begin with, and save to.")
@click.option("--rows", type=int, default=400_000, show_default=True, help="Lessons; 0 for none.")
@click.option("--seed", type=int, default=0, show_default=True)
def main(
    csv: tuple[Path, ...], folder: Path, checkpoint: Path | None, rows: int, seed: int
) -> None:
    """Teach the sentence encoder, measure it beside the linear model, and write both."""
    from training import encoder as encoders  # noqa: PLC0415  # an extra

    found, lessons = corpora.taught(dataset.read(csv, {}))
    begun = checkpoint if checkpoint and checkpoint.exists() else None
    encoder = encoders.Encoder.load(begun) if begun else None
    if rows or encoder is None:  # else nothing of it is read
        texts, targets, chances = _curriculum(found, lessons)
        encoder = encoder or encoders.Encoder.pretrained(texts)
    if rows:
        with steps("Teaching", min(rows, len(texts))) as report:
            encoders.teach(encoder, texts, targets, chances, rows, seed=seed, report=report)
        if checkpoint:
            encoder.save(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    encoders.export(encoder, folder)
    manifest = _manifest(folder)
    _write(folder, manifest)
    unseen = _unseen(found, lessons, Teacher(folder), seed)
    manifest |= stacking.measured(unseen, manifest["beside"]["thresholds"])
    _write(folder, manifest)
    (folder / CARD).write_text(_card(manifest), encoding="utf-8")


def _apart(rows: Sequence[Row]) -> set[str]:
    """The keys of what is kept out, so that copies of it stay out too."""
    return {key(row.text) for row in rows if is_kept_out(row, KEPT_OUT)}


def _curriculum(rows: Sequence[Row], lessons: Sequence[Lesson]) -> tuple[list[str], F64, F64]:
    """What the encoder reads, its targets, and the chance of each row to be drawn: each output
    has its share, and within it corpora weigh as for the linear model."""
    apart = _apart(rows)
    taught = [
        i
        for i, row in enumerate(rows)
        if key(row.text) not in apart and is_readable(row, LANGUAGES)
    ]
    rows, lessons = [rows[i] for i in taught], [lessons[i] for i in taught]
    targets = corpora.all_targets(lessons)
    trust = np.array([lesson.weight for lesson in lessons])
    base = recipe.corpus_weights([row.corpus for row in rows], trust)
    weights = recipe.head_weights(rows, base, targets)[:, : len(OUTPUTS)]
    targets = targets[:, : len(OUTPUTS)]
    chances = np.zeros(len(rows))
    for output, share in enumerate(_SHARES):
        for target, part in ((0, 1 - _BAD), (1, _BAD)):
            here = targets[:, output] == target
            chances[here] += share * part * weights[here, output] / weights[here, output].sum()
    said = chances > 0
    texts = [passage(fold(row.text)) for row in rows]
    return [texts[i] for i in said.nonzero()[0]], targets[said], chances[said]


def _unseen(
    rows: Sequence[Row], lessons: Sequence[Lesson], teacher: Teacher, seed: int
) -> stacking.Unseen:
    """A sample of what was kept out, judged by both."""
    first = _linear_without_them(rows, lessons, teacher, seed)
    draw = np.random.default_rng(seed)
    out = np.array([is_kept_out(row, KEPT_OUT) for row in rows])
    names = np.array([row.corpus for row in rows])
    sample = np.concatenate(
        [
            draw.permutation(np.flatnonzero(out & (names == name)))[:_ROWS_PER_CORPUS]
            for name in sorted(set(names[out]))
        ]
    )
    comments = [rows[i].comment() for i in sample]
    assessed = first.assess(comments)
    readable = [i for i, found in enumerate(assessed) if found.language.code in LANGUAGES]
    scores = {
        name: np.array([assessed[i].scores[name] for i in readable]) for name in assessed[0].scores
    }
    said: dict[str, list[list[float]]] = {head: [] for head in VERDICT_HEADS}
    for i in readable:
        reading = read(comments[i])
        heard: dict[str, list[float]] = {}
        for head in VERDICT_HEADS:
            text = first.decisive(reading, head)
            if text not in heard:
                heard[text] = teacher.encoder.log_odds(text)
            said[head].append(heard[text])
    kept = sample[readable]
    targets = corpora.verdict_targets([lessons[i] for i in kept])
    return stacking.Unseen(
        names[kept], targets, scores, {head: np.array(found) for head, found in said.items()}
    )


def _linear_without_them(
    rows: Sequence[Row], lessons: Sequence[Lesson], teacher: Teacher, seed: int
) -> Classifier:
    """Fitted as the shipped one was: with this encoder for a teacher, or without any."""
    ordered = hygiene.sort(rows, lessons)
    apart = _apart(rows)
    pairs = [(r, x) for r, x in ordered.pairs() if key(r.text) not in apart]
    mixed = np.random.default_rng(seed).permutation(len(pairs))
    rows, lessons = [pairs[i][0] for i in mixed], [pairs[i][1] for i in mixed]
    shipped = _shipped()
    pieces = teacher.pieces(rows, seed, steps) if "teacher" in shipped else NO_PIECES
    linear = fitted(rows, lessons, seed, steps, pieces)
    return Classifier("without", shipped, linear.quantised())


def _shipped() -> dict[str, Any]:
    """The manifest of the model that it is to stand beside."""
    models = shelf.ModelShelf(shelf.shipped())
    return models.manifest(models.active_version())


def _manifest(folder: Path) -> dict[str, Any]:
    """What is known before anything is measured."""
    shipped = _shipped()
    digests = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (ENCODER, VOCABULARY)
    }
    return {
        "format": FORMAT,
        "name": f"e5-{digests[ENCODER][:8]}",
        "languages": LANGUAGES,
        "files": digests,
        "beside": {key: shipped[key] for key in ("calibration", "thresholds")},
        "bands": {},
        "fusion": {},
        "scale": {},
        "kept_out": sorted(KEPT_OUT),
    }


def _card(manifest: Mapping[str, Any]) -> str:
    lines = [
        f"# Second opinion {manifest['name']}",
        "",
        "The lower layers of multilingual-e5-small (MIT; Wang et al. 2024), taught on the rows of "
        "the same corpora as the model beside it, in eight bits. It is asked only where that model "
        f"is uncertain, about {manifest['asked']:.0%} of honest comments, or always, as the "
        "setting says.",
        "",
        "Measured on corpora that neither was taught (a linear model was fitted without them for "
        "the purpose), and on a fifth of our seeds; weights of the sum from the other corpora. "
        "A corpus of one kind borrows the honest rows of the others. Linear model / asked where it "
        "is uncertain / always asked; held and caught are at the default promise. On the same "
        "corpora the sum was brought to the linear model's scale.",
        "",
        "| head | corpus | honest | bad | ROC AUC | recall at 1 % | honest held | bad caught |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    table = manifest["validation"]
    for row in table:
        pairs = [_pair(row, figure) for figure in ("auc", "recall", "held", "caught")]
        lines.append(_line(row["head"], row["corpus"], row["honest"], row["bad"], *pairs))
    for head in sorted({row["head"] for row in table}):
        own = [row for row in table if row["head"] == head]
        means = [
            " / ".join(
                f"{np.mean([row[who][figure] for row in own if row[who][figure] is not None]):.3f}"
                for who in stacking.WHO
            )
            for figure in ("auc", "recall", "held", "caught")
        ]
        lines.append(_line(f"**{head}**", "**mean**", "", "", *means))
    return "\n".join([*lines, "", "Never taught: " + ", ".join(manifest["kept_out"]) + ".", ""])


def _pair(row: Mapping[str, Any], figure: str) -> str:
    said = (row[who][figure] for who in stacking.WHO)
    return " / ".join("–" if one is None else f"{one:.3f}" for one in said)


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
