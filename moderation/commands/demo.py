"""moderation demo."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from moderation.client import Client
from moderation.commands.options import configured, models_dir
from moderation.demo.blog import create_blog
from moderation.server import AddressUnusable, free_address
from moderation.settings import GENERAL, Settings
from moderation.shelf import carried
from moderation.store import Store

_HOST = "127.0.0.1"
_DATABASE = "MODERATION_DATABASE"
_SECONDS_TO_START, _SECONDS_TO_END = 30, 15
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_SAID = """\
The blog: http://{host}:{blog}/
What it holds, for moderators: http://{host}:{port}/review
The guide and the API: http://{host}:{port}/docs
{kept}Ctrl-C ends both."""


class Quiet(WSGIRequestHandler):
    """Writes no log: its lines would hold addresses, and the ids that only authors know."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@click.command()
@click.option("--port", type=int, help="Port of the service.  [default: 8000]")
@click.option(
    "--blog-port",
    type=click.IntRange(1, 65535),
    default=8001,
    show_default=True,
    help="Port of the blog.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the comments here; without it, they are forgotten in the end.",
)
@models_dir
def demo(
    port: int | None, blog_port: int, folder: Path | None, models_dir: Path | None
) -> int | None:
    """Start the service and a small blog that uses it, for a first look.

    The blog is one article with a comment form. Write a comment: it is published at once, or held
    with a word to its author. Publish or reject what is held on the service's page /review, and
    look at the blog again. Both listen on this machine only; Ctrl-C ends both.

    The service has its own database for this, in the folder, unless MODERATION_DATABASE names
    another; all other settings are those of `moderation serve`.
    """

    with _folder(folder) as place:
        database = os.environ.get(_DATABASE) or f"sqlite:///{place / 'moderation.db'}"
        settings = configured(models_dir, host=_HOST, port=port, database=database)
        _is_free("--port", settings.port)
        _is_free("--blog-port", blog_port)
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGHUP, _stop)
        try:
            return _both(settings, blog_port, place, forgotten=folder is None)
        except KeyboardInterrupt:
            return None  # Ctrl-C is how it ends


def _both(settings: Settings, blog_port: int, place: Path, *, forgotten: bool) -> int | None:
    with _key(settings) as key, _service(settings) as service:
        if code := _failed(service, settings.port):
            return code
        blog = _blog(settings.port, blog_port, key, place)
        kept = f"Comments are kept in {place}{', until this ends' if forgotten else ''}.\n"
        click.echo(_SAID.format(host=_HOST, blog=blog_port, port=settings.port, kept=kept))
        ending = threading.Event()
        watched = (service, settings.port, ending)
        threading.Thread(target=_tell_of_its_end, args=watched, daemon=True).start()
        blog.serve_forever()  # Ctrl-C ends it
        ending.set()
    return None


def _is_free(option: str, port: int) -> None:
    try:
        free_address(_HOST, port)
    except AddressUnusable as error:
        said = f"Something listens on {_HOST}:{port} already. Stop it, or choose another {option}."
        raise click.UsageError(said) from error


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="moderation-demo-") as name:
            yield Path(name)
    else:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()


@contextmanager
def _key(settings: Settings) -> Iterator[str]:
    """A key for the blog, as long as it runs; none where the service is open to everybody."""
    store = Store.open(settings.database)
    key = store.keys.create(GENERAL, "submit") if store.keys.any() else ""
    try:
        yield key
    finally:
        if key:
            store.keys.revoke(key)
        store.close()


@contextmanager
def _service(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """`moderation serve`, in a session of its own: Ctrl-C is for us to pass on."""
    said = ["--host", _HOST, "--port", str(settings.port), "--models-dir", str(settings.models)]
    process = subprocess.Popen(
        [sys.executable, "-m", "moderation", "serve", *said],
        env={**os.environ, _DATABASE: settings.database},
        start_new_session=True,
        # It runs before there is any thread, for which it would not be safe.
        preexec_fn=_end_with_us if sys.platform == "linux" else None,  # noqa: PLW1509
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_SECONDS_TO_END)


def _end_with_us() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def _failed(service: subprocess.Popen[bytes], port: int) -> int:
    """The exit code of a service that did not start, and has said why; 0 once it listens."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and service.poll() is None:
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
            return 0
        except OSError:
            time.sleep(0.05)
    return service.poll() or 2


def _blog(port: int, blog_port: int, key: str, place: Path) -> BaseWSGIServer:
    service = f"http://{_HOST}:{port}"
    article = (carried("seeds") / "article.md").read_text(encoding="utf-8")
    app = create_blog(Client(service, key), article, place / "blog.db", f"{service}/review")
    return make_server(_HOST, blog_port, app, threaded=True, request_handler=Quiet)


def _tell_of_its_end(service: subprocess.Popen[bytes], port: int, ending: threading.Event) -> None:
    """A blog goes on without its service. So does this one, to show what it does then."""
    service.wait()
    if not ending.is_set():
        said = f"the service has ended; the blog holds all comments until one is on port {port}."
        click.echo(f"moderation: {said}", err=True)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt
