"""A PostgreSQL server of the tests' own: made, started on 127.0.0.1 and ended by them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import free_port

_WAIT = 30.0


def programs() -> Path | None:
    """Where initdb and postgres are; None where PostgreSQL is not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(places[-1]) if places else shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def server(binaries: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database; the server ends with the block."""
    # its socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    as_user = _unprivileged(folder)
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initdb = [binaries / "initdb", "-D", folder / "data", "-U", "tests", "-A", "trust", "-N"]
    subprocess.run([*as_user, *map(str, initdb)], check=True, cwd="/", **quiet)
    options = ["-D", folder / "data", "-p", port, "-h", "127.0.0.1", "-k", folder, "-F"]
    process = subprocess.Popen(
        [*as_user, str(binaries / "postgres"), *map(str, options)], cwd="/", **quiet
    )
    try:
        _await(binaries, port)
        yield f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(_WAIT)
        shutil.rmtree(folder, ignore_errors=True)


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
