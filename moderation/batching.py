"""Calls that threads make at the same time, carried out together.

Eight comments at once are read by the model in twice the time of one, and written to the disk in
the same time as one. So a call that finds others at work waits, and then goes on together with all
that wait.

Python runs one thread at a time, and others stand at its door unseen until the running one pauses.
So as long as calls come in company, the one that leads pauses until as many are there as were
before. A call that is alone goes ahead at once, but for one in `_PROBE` seconds, which looks
whether there is company again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PROBE, _PAUSE = 0.01, 0.0006  # seconds


class _Call(Generic[T, R]):
    """One call on its way: what it brings, and what came of it."""

    __slots__ = ("answer", "item", "leads", "size", "woken")

    def __init__(self, item: T, size: int) -> None:
        self.item, self.size = item, size
        self.answer: R | BaseException | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Batcher(Generic[T, R]):
    """Lets `at_once` batches be worked on at once, each of at most `most` items whose sizes come
    to at most `largest`; an item that is larger goes alone.

    `work` answers each item, with an exception where that is its fate. Who has waited `seconds`,
    or finds `queue` others waiting, gets the refusal.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        refusal: Callable[[], Exception],
        *,
        at_once: int,
        most: int,
        largest: int,
        queue: int,
        seconds: float,
    ) -> None:
        self._work, self._refusal = work, refusal
        self._free, self._most, self._largest = at_once, most, largest
        self._queue, self._seconds = queue, seconds
        self._waiting: deque[_Call[T, R]] = deque()  # empty while a place is free
        self._lock = threading.Lock()
        self._expected, self._probed = 1, 0.0
        self._pause: threading.Lock | None = None

    def __call__(self, item: T, size: int = 1) -> R:
        """The answer to this item; raises it where it is an exception."""
        call = _Call[T, R](item, size)
        self._begin(call)
        if not call.leads and not call.woken.acquire(timeout=self._seconds):
            self._give_up(call)
        if call.leads:
            self._lead(call)
        if isinstance(call.answer, BaseException):
            raise call.answer
        return call.answer  # type: ignore[return-value]  # only `_give_up` leaves without one

    def _begin(self, call: _Call[T, R]) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                call.leads = True
            elif len(self._waiting) < self._queue:
                self._waiting.append(call)
                if self._pause and len(self._waiting) + 1 >= self._expected:
                    self._pause.release()
                    self._pause = None
            else:
                raise self._refusal()

    def _give_up(self, call: _Call[T, R]) -> None:
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)
                raise self._refusal()
        call.woken.acquire()  # it was taken along in this very moment

    def _lead(self, call: _Call[T, R]) -> None:
        self._let_in()
        batch = self._gathered(call)
        answers: Sequence[R | BaseException]
        try:
            answers = self._work([each.item for each in batch])
        except BaseException as error:  # whatever it is, nobody may be left waiting
            answers = [error] * len(batch)
        self._pass_on(len(batch))
        for each, answer in zip(batch, answers, strict=True):
            each.answer = answer
            each.woken.release()

    def _let_in(self) -> None:
        """Pause for those that are expected."""
        now = time.monotonic()
        with self._lock:
            if self._expected == 1:
                if now < self._probed + _PROBE:
                    return
                self._probed, self._expected = now, 2
            if len(self._waiting) + 1 >= self._expected:
                return
            self._pause = pause = threading.Lock()
            pause.acquire()
        pause.acquire(timeout=_PAUSE)
        with self._lock:
            self._pause = None

    def _gathered(self, call: _Call[T, R]) -> list[_Call[T, R]]:
        batch, size = [call], call.size
        with self._lock:
            while self._waiting and len(batch) < self._most:
                size += self._waiting[0].size
                if size > self._largest:
                    break
                batch.append(self._waiting.popleft())
        return batch

    def _pass_on(self, done: int) -> None:
        """The first of those that wait leads next."""
        with self._lock:
            # those that are answered now may come again
            self._expected = min(done + len(self._waiting), self._most)
            if self._waiting:
                following = self._waiting.popleft()
                following.leads = True
                following.woken.release()
            else:
                self._free += 1
