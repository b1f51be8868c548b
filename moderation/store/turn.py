"""Whose turn it is to write, among the threads and processes of one machine."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path


class Turn:
    """One at a time, of all that name the same file. Two workers at 200 comments a second waited up
    to a second for each other while SQLite made them poll; so they are woken in milliseconds. The
    kernel gives the turn of a process that was killed to the next."""

    def __init__(self, file: Path) -> None:
        self._threads = threading.Lock()
        self._file: int | None = None
        with suppress(OSError):  # where no file can be made, SQLite has them poll
            self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        """Wait for it."""
        self._threads.acquire()
        if self._file is not None:
            _lock(self._file)

    def __exit__(self, *_: object) -> None:
        """Pass it on."""
        if self._file is not None:
            _unlock(self._file)
        self._threads.release()

    def __del__(self) -> None:
        """Let the file go with the database."""
        if self._file is not None:
            os.close(self._file)


if sys.platform == "win32":

    def _lock(file: int) -> None: ...

    def _unlock(file: int) -> None: ...

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
