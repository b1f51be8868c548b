"""A network of its own for a test: it can listen on 443 and have its own /etc/hosts, and no name
of the world outside leads anywhere."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ENTER = "ip link set lo up && mount --bind {hosts} /etc/hosts && echo ready && exec sleep 3600"
_UNSHARE = ["unshare", "--map-root-user", "--net", "--mount"]


def missing() -> str:
    """Why there can be none here; empty where there can."""
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian package {package})"
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False)
    return "this machine allows no namespaces of one's own" if tried.returncode else ""


class PrivateNet:
    """Runs programs in there."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", "-t", str(pid), "--user", "--net", "--mount", "--wd=."]

    def run(self, *command: str | Path, env: Mapping[str, str], **more: Any) -> str:
        """What a program printed; it must end well."""
        done = subprocess.run(
            [*self._enter, *map(str, command)],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **more,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *command: str | Path, **more: Any) -> subprocess.Popen[bytes]:
        """Start a program; whoever starts it ends it."""
        return subprocess.Popen([*self._enter, *map(str, command)], **more)


@contextmanager
def private_net(folder: Path, *names: str) -> Iterator[PrivateNet]:
    """One in which these names lead to the loopback address."""
    hosts = folder / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", *names)))
    command = [*_UNSHARE, "sh", "-c", _ENTER.format(hosts=hosts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"ready\n"
            yield PrivateNet(holder.pid)
        finally:
            holder.kill()


def await_file(path: Path, word: str) -> None:
    """Wait until a program has written this."""
    end = time.monotonic() + 30
    while not path.exists() or word not in path.read_text():
        assert time.monotonic() < end, path.read_text() if path.exists() else path
        time.sleep(0.05)
