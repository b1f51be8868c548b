"""moderation models list | activate | rollback."""

from __future__ import annotations

from pathlib import Path

import click

from moderation.commands.options import configured, models_dir
from moderation.errors import ModelRefused
from moderation.shelf import ModelShelf


@click.group()
def models() -> None:
    """List the installed models and switch between them, also while the service runs."""


@models.command("list")
@models_dir
def list_models(models_dir: Path | None) -> None:
    """List the installed models; * marks the active one."""

    shelf = ModelShelf(configured(models_dir).models)
    active = shelf.active_version()  # also one that is refused
    for version in shelf.versions():
        mark = "*" if version == active else " "
        try:
            made = str(shelf.manifest(version).get("created", ""))
            click.echo(f"{mark} {version}  {made}".rstrip())
        except ModelRefused as error:
            click.echo(f"{mark} {version}  refused: {error}")


@models.command()
@click.argument("version")
@models_dir
def activate(version: str, models_dir: Path | None) -> None:
    """Judge with this model from now on."""

    shelf = ModelShelf(configured(models_dir).models)
    shelf.activate(version)
    click.echo(f"Active: {shelf.active().version}", err=True)


@models.command()
@models_dir
def rollback(models_dir: Path | None) -> None:
    """Judge with the model that was active before."""

    shelf = ModelShelf(configured(models_dir).models)
    shelf.rollback()
    click.echo(f"Active: {shelf.active().version}", err=True)
