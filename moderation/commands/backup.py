"""moderation backup."""

from __future__ import annotations

from pathlib import Path

import click

from moderation import backup as backups
from moderation.commands.options import configured, models_dir


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@models_dir
def backup(target: Path, models_dir: Path | None) -> None:
    """Write the database and your models to a file, while the service runs.

    FILE is a gzipped tar, as copy.tar.gz. It is of one moment: every comment that was answered
    before is in it. Keys are in it as hashes; the settings are not, nor is the shipped model. A
    file of that name is replaced, once the new one is whole. For PostgreSQL, it says how to do it
    with PostgreSQL's own program.
    """
    backups.save(configured(models_dir), target)
    size = target.stat().st_size / 1e6
    click.echo(f"Backup: {target} ({size:.1f} MB). Keep it as private as the comments.", err=True)
