"""moderation serve."""

from __future__ import annotations

from pathlib import Path

import click

from moderation import server
from moderation.commands.options import configured, models_dir


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8000]")
@click.option("--workers", type=int, help="Processes that answer requests.  [default: 1]")
@models_dir
def serve(host: str | None, port: int | None, workers: int | None, models_dir: Path | None) -> None:
    """Run the service, production server included.

    On a loopback address it runs open until a first key is created; on any other it needs a key.
    """

    server.run(configured(models_dir, host=host, port=port, workers=workers))
