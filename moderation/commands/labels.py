"""moderation labels."""

from __future__ import annotations

from pathlib import Path

import click

from moderation.commands.options import configured, site_name
from moderation.files import writing_text
from moderation.labelled_csv import csv_lines
from moderation.store import Store


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="CSV file.")
@click.option("--site", help="Only of this site.  [default: all]")
def labels(output: Path | None, site: str | None) -> None:
    """Write the moderators' labels as a labelled CSV, to train on.

    Cells that a spreadsheet would run as a formula get an apostrophe in front; training takes it
    off again.
    """

    store = Store.open(configured().database)
    try:
        rows = store.labels(site_name(site) if site else None)
        with writing_text(output) as file:
            file.writelines(csv_lines(rows))
    finally:
        store.close()
