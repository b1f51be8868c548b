"""What it takes to judge a back-catalogue: a sample is timed, and the plan for all of it printed.

    python -m tests.benchmarks.back_catalogue [--sample N] [--comments N] [--price P] [--runs N]

The comments are generated, each one another: sentences of our seeds in new company, with names,
numbers, links, markup and long texts, about as long as comments on blogs are. Timed is
`moderation score` as a whole, from CSV to CSV, on the sample and on a small part of it: the
difference is what a comment takes, the rest what a start takes. The process that reads and writes
is told from those that judge, since there is one of it, however many judge.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks import machine

SEEDS = Path(__file__).parents[2] / "seeds" / "comments.csv"
_LOOK_EVERY = 0.1
_PART = 4
"""The small part of the sample is one in so many: enough that others judge it, too."""
_MILLION = 1_000_000


@dataclass(frozen=True)
class Taken:
    """What a run took: seconds, CPU-seconds of reading and writing and of judging, megabytes."""

    seconds: float
    reader: float
    judges: float
    peak: float


def comments(count: int, seed: int = 0) -> Iterator[str]:
    """Varied comments, as many as are asked for."""
    with SEEDS.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    draw = random.Random(seed)
    for number in range(count):
        parts = draw.choices(texts, k=draw.choices((1, 2, 3, 12), (30, 30, 30, 10))[0])
        words = " ".join(parts).split(" ")
        for _ in range(1 + len(words) // 12):  # no two alike, and no list of words is enough
            words.insert(draw.randrange(len(words) + 1), f"{draw.choice(words)}{number % 97}")
        text = " ".join(words)
        if draw.random() < 0.1:
            text += f" https://site{draw.randrange(10_000)}.example/{number}"
        if draw.random() < 0.05:
            text = f"<p>{text}</p><b>{number}</b>"
        yield text


def write(path: Path, count: int) -> float:
    """The sample as a CSV; the mean length of a text."""
    length = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "author"])
        for number, text in enumerate(comments(count)):
            length += len(text)
            writer.writerow([number, text, f"Reader {number % 5000}"])
    return length / count


def timed(source: Path, jobs: int) -> Taken:
    """One `moderation score` from its start to its end."""
    out = source.with_suffix(".out.csv")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    peak = reader = 0.0
    command = [sys.executable, "-m", "moderation", "score", source, "-o", out, "--jobs", str(jobs)]
    process = psutil.Popen([*map(str, command)], env=machine.environment())
    while process.poll() is None:
        with suppress(psutil.Error):
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(each.memory_full_info().pss for each in family))
            reader = sum(process.cpu_times()[:2])
        time.sleep(_LOOK_EVERY)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(subprocess.list2cmdline([*map(str, command)]))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    out.unlink()
    return Taken(seconds, reader, used - reader, peak / 2**20)


def each(whole: list[float], part: list[float], rows: int) -> float:
    """Seconds of one more row."""
    return (statistics.median(whole) - statistics.median(part)) / (rows - rows // _PART)


def main() -> None:
    """Time the sample, print the plan."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=100_000, help="comments that are timed")
    parser.add_argument("--comments", type=int, default=10 * _MILLION, help="of the catalogue")
    parser.add_argument("--price", type=float, default=0.05, help="dollars for a core and an hour")
    parser.add_argument("--cores", type=int, nargs="*", default=[8, 32], help="other machines")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    here = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        sample, part = Path(name) / "sample.csv", Path(name) / "part.csv"
        length = write(sample, given.sample)
        write(part, given.sample // _PART)
        print(f"{machine.describe()}; {given.sample} comments of {length:.0f} characters\n")
        wholes, parts = [], []
        for _ in range(given.runs):
            wholes.append(timed(sample, here))
            parts.append(timed(part, here))
    print("| a million comments | median (least-most) |\n| --- | --- |")
    scale = _MILLION / given.sample
    for title, values in (
        ("wall seconds here", [run.seconds * scale for run in wholes]),
        ("CPU-seconds, all processes", [(run.reader + run.judges) * scale for run in wholes]),
        ("of these, reading and writing", [run.reader * scale for run in wholes]),
    ):
        print(f"| {title} | {machine.spread(values, 0)} |")
    print(f"| peak memory of all processes, MB | {machine.spread([r.peak for r in wholes], 0)} |")

    wall = each([r.seconds for r in wholes], [r.seconds for r in parts], given.sample)
    reader = each([r.reader for r in wholes], [r.reader for r in parts], given.sample)
    judge = each([r.judges for r in wholes], [r.judges for r in parts], given.sample)
    print(f"\n| {given.comments:,} comments | minutes |\n| --- | --- |")
    print(f"| this machine, {here} cores, as measured | {wall * given.comments / 60:.0f} |")
    for cores in given.cores:
        # One process reads and writes; where it is slower than all that judge, they wait for it.
        files = max(1, round(cores * reader / (reader + judge) + 0.5))
        alone = max(reader, (reader + judge) / cores) * given.comments / 60
        split = (reader + judge) / cores * given.comments / 60
        print(f"| {cores} such cores, one file | {alone:.1f} |")
        if split < alone:
            print(f"| {cores} such cores, the file cut into {files} | {split:.1f} |")
    hours = (reader + judge) * _MILLION / 3600
    cost = f"${hours * given.price:.4f} at ${given.price} for a core-hour"
    print(f"\nA million: {hours:.3f} core-hours, {cost}")


if __name__ == "__main__":
    main()
