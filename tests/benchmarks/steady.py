"""How long an answer takes when comments come at a steady rate, as a busy site sends them.

    python -m tests.benchmarks.steady [--workers N] [--rate R] [--seconds S] [--models DIR]

Each comment is recorded, with an id of its own as backends send it, and its time counts from when
it was due. A recorded comment cannot be quicker than the disk, so what one write to that takes is
measured meanwhile: where others use the disk, or a virtual machine shares it, it explains most.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import statistics
import threading
import time
from pathlib import Path

from tests.benchmarks.throughput import TEXT, serving

SENDERS = 32
_PAUSE = 0.02
"""Seconds between two writes."""


def comments(port: int, rate: int, start: float, seconds: int) -> list[float]:
    """Milliseconds that each took."""
    taken: list[float] = []
    numbers = itertools.count()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.connect()
        while (number := next(numbers)) < rate * seconds:
            due = start + number / rate
            time.sleep(max(0, due - time.perf_counter()))
            name = f"{start} {number}"
            body = json.dumps({"content": f"{TEXT} {name}", "external_id": name})
            connection.request("POST", "/v1/comments", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            if response.status != http.HTTPStatus.OK:
                raise SystemExit(f"status {response.status}")
            taken.append((time.perf_counter() - due) * 1000)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def writes(file: Path, end: float) -> list[float]:
    """Milliseconds that four kilobytes take to the disk, one write after the other."""
    taken: list[float] = []
    with file.open("wb", buffering=0) as disk:
        while (begun := time.perf_counter()) < end:
            disk.seek(0)
            disk.write(bytes(4096))
            os.fdatasync(disk.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
            time.sleep(_PAUSE)
    return taken


def show(name: str, taken: list[float]) -> None:
    """A row of the table."""
    quantiles = statistics.quantiles(taken, n=100)
    print(
        f"| {name} | {len(taken)} | {quantiles[49]:.1f} | {quantiles[94]:.1f} "
        f"| {quantiles[98]:.1f} | {max(taken):.1f} |"
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--models", type=Path, help="models folder; without, a small one is made")
    given = parser.parse_args()
    with serving(given.models, given.workers) as (service, folder):
        comments(service.port, given.rate, time.perf_counter(), 1)  # warm
        start = time.perf_counter() + 0.5
        on_disk: list[float] = []
        writer = threading.Thread(
            target=lambda: on_disk.extend(writes(folder / "written", start + given.seconds))
        )
        writer.start()
        taken = comments(service.port, given.rate, start, given.seconds)
        writer.join()
    print(f"| {given.workers} worker(s) | number | median ms | 95 % ms | 99 % ms | most ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    show(f"recorded, {given.rate} a second", taken)
    show("a write to this disk meanwhile", on_disk)


if __name__ == "__main__":
    main()
