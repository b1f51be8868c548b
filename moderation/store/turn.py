"""Whose turn it is to write, among the threads and processes of one machine."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from moderation.errors import StoreUnavailable

_SECONDS = 10  # to wait before giving up
_AGAIN = 0.002
_STUCK = f"somebody else has been writing for {_SECONDS} seconds"


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
        """Wait for it. StoreUnavailable where somebody does not pass it on."""
        until = time.monotonic() + _SECONDS
        if not self._threads.acquire(timeout=_SECONDS):
            raise StoreUnavailable(_STUCK)
        try:
            if self._file is not None:
                _lock(self._file, until)
        except BaseException:
            self._threads.release()
            raise

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

    def _lock(file: int, until: float) -> None: ...

    def _unlock(file: int) -> None: ...

else:
    import fcntl

    def _lock(file: int, until: float) -> None:
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # asked again and again, since the kernel's own wait has no end
        while time.monotonic() < until:
            time.sleep(_AGAIN)
            with suppress(BlockingIOError):
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise StoreUnavailable(_STUCK)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
