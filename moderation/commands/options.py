"""What several commands share: their options, and how they read the settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from moderation import settings
from moderation.errors import BadSetting
from moderation.settings import Settings

models_dir = click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the models; says the same as MODERATION_MODELS.",
)


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
