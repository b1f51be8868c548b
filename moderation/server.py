"""The production server: Granian, with our app in each of its worker processes.

Granian served a Flask app 1.7 (one worker) to 3 times (two) as fast as gunicorn and waitress on the
machine this was tried on, and replaces a killed worker at once. tests/benchmarks/throughput.py
measures it again.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from moderation.auth import refuse_unguarded
from moderation.errors import ModerationError
from moderation.settings import Settings
from moderation.shelf import ModelShelf
from moderation.store import Store

if TYPE_CHECKING:
    from flask import Flask

    from moderation.service import Shelf

log = logging.getLogger(__name__)

# A body that comes in drips holds a thread, so there may be as many threads as connections: with
# 512 of them, 700 such clients shut everybody else out. Threads start on demand; 3,000 took 120 MB.
_CONNECTIONS = 4096
_SECONDS_FOR_HEADERS, _BYTES_OF_HEADERS = 15, 65_536
_SECONDS_TO_END = 8  # Docker gives ten before it kills
_SECONDS_TO_START = 30

_OPEN = (
    "moderation: open to everybody on this machine, as no key was created yet; "
    "`moderation keys create --site default --role admin` creates one."
)
_LOGGING = {
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {
        "_granian": {"handlers": ["stderr"], "propagate": False},
        "moderation": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


class AddressUnusable(ModerationError):
    """Nothing can listen on this address."""

    title = "Address unusable"

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(
            f"Cannot listen on {host}:{port} ({problem}). Stop what listens there, or choose "
            "another address with --host and --port."
        )


class _Server(MPServer):
    """Granian, whose workers also end when they are told to before they have begun to serve."""

    def signal_handler_interrupt(self, *_: Any, **__: Any) -> None:
        # A forked worker has this handler of the main process until it has loaded the app.
        if os.getpid() != self.pid:
            os._exit(0)
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. What cannot work is refused before anything is started."""
    address = free_address(settings.host, settings.port)
    shared = tempfile.TemporaryDirectory() if settings.workers > 1 else nullcontext()
    with shared as folder:
        if folder:  # before prometheus_client is imported, or it does not see it
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        shelf, link = _checked(settings)
        if sys.platform == "linux":
            # A forked worker shares what is loaded already, the model above all.
            multiprocessing.set_start_method("fork", force=True)
        forks = multiprocessing.get_start_method() == "fork"
        server = granian(address, settings.port, settings.workers)
        server.on_startup(lambda: _in_background(_say_when_ready, address, settings.port, link))
        server.serve(
            target_loader=partial(load, settings, shelf if forks else None),
            wrap_loader=False,
        )


def granian(address: str, port: int, workers: int) -> MPServer:
    """The server as we run it; no app is loaded yet."""
    return _Server(
        "moderation",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_SECONDS_FOR_HEADERS * 1000, max_buffer_size=_BYTES_OF_HEADERS
        ),
        websockets=False,
        workers=workers,
        blocking_threads=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=_SECONDS_TO_END,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
    )


def load(settings: Settings, shelf: Shelf | None) -> Flask:
    """The app of one worker process."""
    from moderation import chores  # noqa: PLC0415  # brings prometheus_client: see run()
    from moderation.app import create_app  # noqa: PLC0415
    from moderation.endpoint import EXTENSION  # noqa: PLC0415

    _end_with_parent()
    try:
        app = create_app(settings, shelf=shelf)
    except ModerationError as error:
        log.error("worker not started: %s", error)
        sys.exit(error.exit_code)
    chores.begin(app.extensions[EXTENSION])
    gc.freeze()  # what is loaded stays: looking through it takes tens of milliseconds
    return app


def free_address(host: str, port: int) -> str:
    """The address as a number, if it can be listened on. Granian shares a port with whoever else
    would share it, another `serve` included, so it is asked for here as one's own."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressUnusable(host, port, error.strerror or str(error)) from error
    return str(address[0])


def _checked(settings: Settings) -> tuple[Shelf, str]:
    """The models, and the token of the page's link where the service runs open, once it is sure
    that the database opens, the address is guarded and the active model judges."""
    from moderation.service import Service  # noqa: PLC0415  # brings prometheus_client: see run()

    store = Store.open(settings.database)
    try:
        refuse_unguarded(settings, store.keys)
        shelf = ModelShelf(settings.models, consult=settings.second_opinion)
        service = Service(settings, store, shelf)
        service.self_check()
        return shelf, store.sessions.offer_link() if service.gatekeeper.is_open() else ""
    finally:
        store.close()


def _say_when_ready(address: str, port: int, link: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            break
    host = f"[{address}]" if ":" in address else address
    here = f"http://{host}:{port}"
    page = f"moderation: the page, for one person, once: {here}/review?token={link}\n"
    opened = f"{_OPEN}\n{page}" if link else ""
    click.echo(f"{opened}moderation: listening on {here}", err=True)


def _end_with_parent() -> None:
    """If the main process is killed, a worker that went on would keep the port."""

    def watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    _in_background(watch, os.getppid())


def _in_background(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()
