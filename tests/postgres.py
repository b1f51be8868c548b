"""A PostgreSQL server of the tests' own: made, started on 127.0.0.1 and ended by them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import free_port

_WAIT = 30.0
_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def programs() -> Path:
    """Where initdb and postgres are; a test that asks is skipped where they are not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(places[-1]) if places else shutil.which("initdb")
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    return Path(found).parent


class Server:
    """A server with an empty database, which can be stopped and started."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder, self._port = binaries, folder, free_port()
        self._as_user = _unprivileged(folder)
        initdb = [binaries / "initdb", "-D", folder / "data", "-U", "tests", "-A", "trust", "-N"]
        subprocess.run([*self._as_user, *map(str, initdb)], check=True, cwd="/", **_QUIET)
        self.url = f"postgresql+psycopg://tests@127.0.0.1:{self._port}/postgres"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folder, port = self._folder, self._port
        options = ["-D", folder / "data", "-p", port, "-h", "127.0.0.1", "-k", folder, "-F"]
        command = [*self._as_user, str(self._binaries / "postgres"), *map(str, options)]
        self._process = subprocess.Popen(command, cwd="/", **_QUIET)
        _await(self._binaries, port)

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_WAIT)


@contextmanager
def running(binaries: Path) -> Iterator[Server]:
    """A server that ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # its socket's path must be short
    try:
        started = Server(binaries, folder)
        try:
            yield started
        finally:
            started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server(binaries: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database; the server ends with the block."""
    with running(binaries) as started:
        yield started.url


def _unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _await(binaries: Path, port: int) -> None:
    end = time.monotonic() + _WAIT
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > end:
            raise TimeoutError("PostgreSQL did not start")
        time.sleep(0.1)
