"""What several commands share: their options, and how they read the settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from moderation import settings
from moderation.errors import BadSetting
from moderation.settings import Settings

models_dir = click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the models; says the same as MODERATION_MODELS.",
)

dask = click.option(
    "--dask",
    metavar="ADDRESS",
    default="",
    help="Work on this Dask cluster, as tcp://10.0.0.5:8786; its workers need the same versions.",
)


class FileOrUrl(click.Path):
    """A file that is there, or a URL, of which that shows when it is read."""

    name = "file or url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text of it, checked."""
        return str(value) if "://" in str(value) else super().convert(value, param, ctx)


file_or_url = FileOrUrl(exists=True, dir_okay=False)


def configured(models: Path | None = None, **given: object) -> Settings:
    """The settings; what a command's options say wins over the environment."""
    said = {f"MODERATION_{k.upper()}": str(v) for k, v in given.items() if v is not None}
    read = settings.load({**os.environ, **said})
    return replace(read, models=models) if models else read


def site_name(name: str) -> str:
    """The name, if a site may have it."""
    if not settings.valid_site(name):
        raise BadSetting("--site", f"{name!r} is not 1 to 64 of a-z, 0-9, - and _.")
    return name
