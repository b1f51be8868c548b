"""Calls made at the same time: carried out together, each answered, and none too many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from moderation.batching import Batcher


class Refused(Exception):
    pass


class Work:
    """Doubles numbers, while its gate is open; answers 13 with an error."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append([*numbers])
        self.begun.release()
        assert self.gate.wait(10)
        return [ValueError("13") if number == 13 else 2 * number for number in numbers]


@pytest.fixture
def work() -> Work:
    return Work()


def batcher(work: Callable[..., Sequence[int | Exception]], **given: float) -> Batcher[int, int]:
    limits = {"at_once": 1, "most": 64, "largest": 100, "queue": 100, "seconds": 10, **given}
    return Batcher(work, Refused, **limits)  # type: ignore[arg-type]


def behind(
    calls: Batcher[int, int], work: Work, pool: ThreadPoolExecutor, *numbers: int, size: int = 1
) -> list[Future[int]]:
    """Calls that arrive, in this order, while the first of them is worked on."""
    futures = [pool.submit(calls, numbers[0], size)]
    work.begun.acquire()
    for place, number in enumerate(numbers[1:]):
        futures.append(pool.submit(calls, number, size))
        while len(calls._waiting) <= place:
            pass
    return futures


def test_a_call_alone_goes_ahead_at_once(work: Work) -> None:
    work.gate.set()
    calls = batcher(work)
    assert [calls(number) for number in range(3)] == [0, 2, 4]
    assert work.batches == [[0], [1], [2]]


def test_those_that_wait_go_together_and_each_gets_its_own_answer(work: Work) -> None:
    calls = batcher(work)
    with ThreadPoolExecutor(8) as pool:
        futures = behind(calls, work, pool, 1, 2, 13, 4)
        work.gate.set()
        assert [futures[place].result(10) for place in (0, 1, 3)] == [2, 4, 8]
        with pytest.raises(ValueError, match="13"):
            futures[2].result(10)
    assert work.batches == [[1], [2, 13, 4]]


def test_a_batch_is_bounded_in_number_and_in_size(work: Work) -> None:
    few, small = batcher(work, most=2), batcher(work, largest=50)
    with ThreadPoolExecutor(8) as pool:
        first = behind(few, work, pool, 1, 2, 3, 4)
        second = behind(small, work, pool, 1, 2, 3, size=30)
        work.gate.set()
        assert [future.result(10) for future in first + second] == [2, 4, 6, 8, 2, 4, 6]
    assert sorted(map(len, work.batches)) == [1, 1, 1, 1, 1, 2]


def test_who_waits_too_long_or_finds_too_many_waiting_is_refused(work: Work) -> None:
    calls = batcher(work, seconds=0.05, queue=1)
    with ThreadPoolExecutor(8) as pool:
        first, second = behind(calls, work, pool, 1, 2)
        with pytest.raises(Refused):
            calls(3)
        with pytest.raises(Refused):
            second.result(10)
        work.gate.set()
        assert first.result(10) == 2
    assert work.batches == [[1]]
    assert calls(4) == 8


def test_as_long_as_calls_come_in_company_each_batch_waits_for_as_many(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = batcher(work)
    with ThreadPoolExecutor(8) as pool:
        futures = behind(calls, work, pool, 1, 2, 3)
        work.gate.set()
        assert [future.result(10) for future in futures] == [2, 4, 6]
        monkeypatch.setattr("moderation.batching._PAUSE", 10)
        first = pool.submit(calls, 4)
        while calls._pause is None:
            pass
        assert pool.submit(calls, 5).result(10) == 10
        assert first.result(10) == 8
    assert work.batches == [[1], [2, 3], [4, 5]]


def test_when_the_work_fails_everybody_hears_of_it_and_the_next_are_served() -> None:
    def broken(numbers: Sequence[int]) -> list[int | Exception]:
        if 0 in numbers:
            raise SystemExit
        return [*numbers]

    calls = batcher(broken)
    with pytest.raises(SystemExit):
        calls(0)
    assert calls(1) == 1


def test_nobody_is_lost_or_mixed_up_among_many() -> None:
    calls = batcher(lambda numbers: [-number for number in numbers], at_once=2, most=7)
    with ThreadPoolExecutor(32) as pool:
        assert [*pool.map(calls, range(2000))] == [-number for number in range(2000)]
