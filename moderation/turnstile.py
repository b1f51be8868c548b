"""How many requests are worked on at once. The rest wait in front of it, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turnstile:
    """Lets `slots` threads in at once. Who waits longer than `seconds` gets the refusal."""

    def __init__(self, slots: int, seconds: float, refusal: Callable[[], Exception]) -> None:
        self._free = threading.BoundedSemaphore(slots)
        self._seconds = seconds
        self._refusal = refusal

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a slot and give it back at the end."""
        if not self._free.acquire(timeout=self._seconds):
            raise self._refusal()
        try:
            yield
        finally:
            self._free.release()
