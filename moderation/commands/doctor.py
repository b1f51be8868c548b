"""moderation doctor."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from moderation.commands.options import models_dir
from moderation.doctor import examine


@click.command()
@models_dir
def doctor(models_dir: Path | None) -> int:
    """Look at what the service needs, and say what to mend.

    Configuration, database, keys, clock, model, permissions, disk and workers. Exit code: 0 all is
    well, 1 something is not.
    """
    found = examine(
        os.environ, lambda read: replace(read, models=models_dir) if models_dir else read
    )
    for one in found:
        mark = click.style("mend", fg="red") if one.mend else click.style("ok  ", fg="green")
        click.echo(f"{mark}  {one.part}: {one.fact}{f' → {one.mend}' if one.mend else ''}")
    return 1 if any(one.mend for one in found) else 0
