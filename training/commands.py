"""`moderation train` and `moderation evaluate`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from joblib import parallel_config

from moderation import settings
from moderation.bulk import cluster
from moderation.commands.options import FileOrUrl, dask
from moderation.errors import UnknownModel
from moderation.files import writing_text
from moderation.shelf import ModelShelf
from training import card, corpora, dataset, evaluation, hygiene, measure
from training import train as training
from training.progress import steps
from training.teacher import Teacher

CSV = click.Path(path_type=Path, dir_okay=False)
CSV_OR_URL = FileOrUrl(dir_okay=False)


@click.command()
@click.argument("csv", nargs=-1, required=True, type=CSV_OR_URL)
@click.option("--from-scratch", is_flag=True, help="Forget what the active model knows.")
@click.option(
    "--models-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where models are written to.",
)
@click.option(
    "--map", "mapping", multiple=True, metavar="VALUE=LABEL", help="What a label value means."
)
@click.option("--no-activate", is_flag=True, help="Write the model, but keep the active one.")
@click.option(
    "--baseline", is_flag=True, help="Add a plain scikit-learn pipeline to the card (slow)."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The same rows and seed give the same weights.",
)
@click.option(
    "--teacher",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="With --from-scratch: learn also from pieces of comments, as the second opinion in this "
    "folder judges them.",
)
@dask
def train(
    csv: tuple[str, ...],
    from_scratch: bool,
    models_dir: Path | None,
    mapping: tuple[str, ...],
    no_activate: bool,
    baseline: bool,
    seed: int,
    teacher: Path | None,
    dask: str,
) -> int:
    """Fit a model on labelled CSV files, and activate it if it is no worse.

    Without --from-scratch the active model's knowledge is kept, and the rows teach it on top. A
    file may be a URL, as s3://bucket/labels.csv, with the extra `dask` and the driver of such URLs.
    """
    shelf = _shelf(models_dir)
    here = f" --models-dir {shlex.quote(str(models_dir))}" if models_dir else ""
    _check_writable(shelf.folder)
    before = _active(shelf)
    with cluster.fetched(*csv) as files, _workers(dask):
        outcome = training.run(
            files,
            shelf,
            mapping=_mapping(mapping),
            from_scratch=from_scratch,
            baseline=baseline,
            seed=seed,
            steps=steps,
            teacher=_teacher(teacher, from_scratch=from_scratch),
        )
    click.echo(outcome.report)
    click.echo(f"Model {outcome.version} is in {outcome.folder}; its card is CARD.md there.")
    if outcome.losses:
        click.echo(f"It is worse than the active model, {outcome.compared_with}:", err=True)
        for loss in outcome.losses:
            click.echo(f"- {loss}", err=True)
    if outcome.losses or no_activate:
        click.echo(f"Not activated. To use it: moderation models activate {outcome.version}{here}")
        return 0 if no_activate else 1
    if (now := _active(shelf)) != before:
        click.echo(
            f"Not activated: {now} took the place of {before} meanwhile, and this one knows "
            "nothing of it. Train again, on top of that.",
            err=True,
        )
        return 1
    shelf.activate(outcome.version)
    click.echo(f"Activated {outcome.version}. To go back: moderation models rollback{here}")
    return 0


@click.command()
@click.argument("csv", type=CSV)
@click.option("--model", "version", help="The version to evaluate; else the active one.")
@click.option("--html", "report", type=CSV, help="Write a report with plots to this file.")
@click.option(
    "--map", "mapping", multiple=True, metavar="VALUE=LABEL", help="What a label value means."
)
@click.option(
    "--models-dir", type=click.Path(path_type=Path, file_okay=False), help="Where models are."
)
def evaluate(
    csv: Path,
    version: str | None,
    report: Path | None,
    mapping: tuple[str, ...],
    models_dir: Path | None,
) -> int:
    """Measure a model on labelled rows."""
    configured = settings.load(os.environ)
    shelf = ModelShelf(models_dir or configured.models, consult=configured.second_opinion)
    classifier = shelf.load(version) if version else shelf.active()
    (corpus,) = dataset.read([csv], _mapping(mapping))
    ordered = hygiene.sort(corpus.rows, corpora.lessons(corpus), hold_out=False)
    if not ordered.rows:
        raise dataset.unusable([corpus], "no row is left to measure by: they contradict each other")
    scores = measure.score(classifier, ordered.rows)
    found = measure.figures(scores, ordered.lessons, measure.thresholds(classifier))
    name = f"{csv.name}, by model {classifier.version}"
    if len(ordered.rows) < len(corpus.rows):
        name += (
            f" ({len(ordered.rows)} of {len(corpus.rows)} rows; copies and contradictions left out)"
        )
    text = "\n".join(card.compared(name, None, found, None))
    click.echo(text)
    if report is not None:
        page = evaluation.html(text, scores, ordered.lessons)
        with writing_text(report) as out:
            out.write(page)
        click.echo(f"The report with plots is in {report}.")
    return 0


def _shelf(models_dir: Path | None) -> ModelShelf:
    return ModelShelf(models_dir or settings.load(os.environ).models)


def _check_writable(folder: Path) -> None:
    # before minutes of work, not after
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        problem = f"nothing can be written to {there}"
        raise click.BadParameter(problem, param_hint="--models-dir")


def _active(shelf: ModelShelf) -> str | None:
    try:
        return shelf.active_version()
    except UnknownModel:
        return None  # the first one


def _teacher(folder: Path | None, *, from_scratch: bool) -> Teacher | None:
    if folder is None:
        return None
    if not from_scratch:
        raise click.UsageError("--teacher needs --from-scratch: it teaches no model on top")
    try:
        return Teacher(folder)
    except ImportError as error:
        raise click.UsageError(
            f"--teacher needs the extra: pip install 'moderation[second-opinion]' ({error})"
        ) from error


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        value, equals, label = pair.rpartition("=")
        if not equals or label.lower() not in (*dataset.LABELS, "ham"):
            problem = f"{pair!r} is not VALUE=LABEL with a label of {', '.join(dataset.LABELS)}"
            raise click.BadParameter(problem, param_hint="--map")
        mapping[value] = label
    return mapping


@contextmanager
def _workers(dask: str) -> Iterator[None]:
    """Who reads comments and fits heads: threads of this process, or a cluster."""
    if not dask:
        yield
        return
    with cluster.connected(dask), parallel_config("dask"):
        yield
