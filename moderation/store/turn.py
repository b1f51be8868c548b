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
_AGAIN = 0.0001
"""Seconds until it is tried again. At 0.002 two busy processes waited 100 ms for each other, at
this 10, as with the kernel's own queue, whose wait has no end."""
_STUCK = f"somebody else has been writing for {_SECONDS} seconds"


class Turn:
    """One at a time, of all that name the same file. Two workers at 200 comments a second waited up
    to a second for each other while SQLite made them poll, ever more seldom; here they ask again at
    once. The kernel gives the turn of a process that was killed to the next."""

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
        while True:
            with suppress(BlockingIOError):
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.monotonic() >= until:
                raise StoreUnavailable(_STUCK)
            time.sleep(_AGAIN)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
