"""moderation restore."""

from __future__ import annotations

from pathlib import Path

import click

from moderation import backup
from moderation.commands.options import configured, models_dir

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("source", metavar="FILE", type=_FILE)
@click.option("--overwrite", is_flag=True, help="Put it in the place of what is there already.")
@models_dir
def restore(source: Path, overwrite: bool, models_dir: Path | None) -> None:
    """Put back what `moderation backup` wrote, with the service stopped.

    All of FILE is looked at first: that it is whole, that its database is sound and of a schema
    that this version knows. Models that are not in the backup stay. What was erased or revoked
    after the backup is there again: erase and revoke it anew.
    """
    versions = backup.restore(configured(models_dir), source, overwrite=overwrite)
    models = ", ".join(versions) or "none of your own"
    click.echo(f"Restored the database, and models: {models}. Start the service.", err=True)
