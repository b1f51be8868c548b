"""Who judges the pieces of a file: this process, several, or a cluster. Nobody can tell from what
comes out, which is in order whoever is ready first."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, TypeVar

Rows = TypeVar("Rows")
Texts = TypeVar("Texts")
Said = TypeVar("Said")

_FEW = 6
"""Pieces up to which starting processes takes longer than it saves."""


def here(
    pieces: Iterator[tuple[Rows, Texts]], judge: Callable[[Texts], Said], jobs: int | None
) -> Iterator[tuple[Rows, Said]]:
    """Rows with the verdicts on them, by so many processes, or one for each processor."""
    jobs = jobs or _cores()
    first = list(islice(pieces, _FEW)) if jobs > 1 else []
    pieces = chain(first, pieces)
    if len(first) < _FEW:
        for rows, texts in pieces:
            yield rows, judge(texts)
        return
    # Loaded only where they're needed, which is not for a small file.
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    # A forked process has all that this one has loaded; elsewhere than on Linux it isn't safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(jobs, context, _end_with_parent) as pool:
        yield from _in_order(pieces, lambda texts: pool.submit(judge, texts), jobs)


def on_cluster(
    pieces: Iterator[tuple[Rows, Texts]],
    judge: Callable[[Any, Any, Texts], Said],
    model: Any,
    policy: Any,
    address: str,
) -> Iterator[tuple[Rows, Said]]:
    """The same by a Dask cluster, whose workers get the model from us, once; what it rests on they
    have themselves."""
    from moderation.bulk.cluster import connected  # noqa: PLC0415  # an extra

    with connected(address, model.packages) as client:
        theirs = client.scatter(model, broadcast=True, hash=False)
        cores = sum(client.ncores().values())

        def submit(texts: Texts) -> Any:
            return client.submit(judge, theirs, policy, texts, pure=False)

        yield from _in_order(pieces, submit, cores)


def _in_order(
    pieces: Iterator[tuple[Rows, Texts]], submit: Callable[[Texts], Any], at_once: int
) -> Iterator[tuple[Rows, Said]]:
    waiting: deque[tuple[Rows, Any]] = deque()
    for rows, texts in pieces:
        waiting.append((rows, submit(texts)))
        if len(waiting) > 2 * at_once:  # enough to keep all busy, and no whole file in memory
            done, said = waiting.popleft()
            yield done, said.result()
    for done, said in waiting:
        yield done, said.result()


def _end_with_parent() -> None:
    """A process that judges would wait for ever where the one that reads was killed."""

    from multiprocessing import parent_process  # noqa: PLC0415

    def end() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
