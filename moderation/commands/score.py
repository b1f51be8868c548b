"""moderation score."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from moderation.commands.options import configured, dask, file_or_url, models_dir, site_name


@click.command()
@click.argument("source", metavar="IN", type=file_or_url)
@click.option(
    "-o",
    "--output",
    help="File to write.  [default: standard output, in the format of IN]",
)
@click.option(
    "--text",
    "text_column",
    help="Column of the text.  [default: text, content, comment]",
)
@click.option("--prefix", default="", help="Put before the names of the added columns.")
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes.  [default: as many as there are processors]"
)
@dask
@click.option("--site", default="default", show_default=True, help="Whose rules apply.")
@models_dir
def score(
    *,
    source: str,
    output: str | None,
    text_column: str | None,
    prefix: str,
    jobs: int | None,
    dask: str,
    site: str,
    models_dir: Path | None,
) -> None:
    """Judge every row of a file: .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet, in and out.

    Each row comes out as it came in, in the same order, with the columns decision, spam, abuse and
    reasons (codes with `;` between them). The columns author, author_url and article are used
    where there are such. Nothing is recorded, so the duplicate and flood checks do not apply.

    A run that was stopped goes on where it was when the same command is given again, as long as
    the file, the model and the rules are the same. What it needs for that is in OUT.journal.

    IN and OUT may be URLs, as s3://bucket/in.csv, with the extra `dask` and the driver of such
    URLs: they are copied here first, and sent there in the end.
    """

    # No matrix is multiplied here, and the threads for it would be started with NumPy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from moderation import bulk  # noqa: PLC0415
    from moderation.bulk import cluster  # noqa: PLC0415

    settings = configured(models_dir)
    with cluster.fetched(source) as (file,), cluster.delivered(output) as out, _bar() as bar:
        bulk.score(
            file,
            out,
            settings.models,
            settings.policy(site_name(site)),
            text_column=text_column,
            prefix=prefix,
            jobs=jobs,
            consult=settings.second_opinion,
            dask=dask,
            progress=_progress(bar),
        )


def _bar() -> Any:
    """A progress bar, where somebody can see it."""
    if not sys.stderr.isatty():
        return nullcontext()
    return click.progressbar(length=1, file=sys.stderr, label="judged")


def _progress(bar: Any) -> Any:
    def show(position: int, length: int) -> None:
        if bar is not None:
            bar.length = max(length, 1)
            bar.update(position - bar.pos)

    return show
