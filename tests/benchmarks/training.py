"""How long `moderation train --from-scratch` takes, and how much memory.

    python -m tests.benchmarks.training [--runs N] [CSV ...]

Memory is the peak of all its processes together; what they share counts once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.benchmarks import machine

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
_LOOK_EVERY = 0.2


def measured(files: list[Path]) -> tuple[float, float, float]:
    """Seconds, CPU-seconds and megabytes of one training."""
    with tempfile.TemporaryDirectory() as models, tempfile.TemporaryFile("w+") as said:
        command = [sys.executable, "-m", "moderation", "train", "--from-scratch", "--no-activate"]
        started, peak, used = time.perf_counter(), 0.0, 0.0
        process = psutil.Popen(
            [*command, "--models-dir", models, *map(str, files)],
            env=machine.environment(),
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        while process.poll() is None:
            with suppress(psutil.Error):
                family = [process, *process.children(recursive=True)]
                peak = max(peak, sum(each.memory_full_info().pss for each in family))
                used = max(used, sum(process.cpu_times()[:4]))  # children that ended included
            time.sleep(_LOOK_EVERY)
        if process.returncode:
            said.seek(0)
            raise SystemExit(said.read())
        return time.perf_counter() - started, used, peak / 2**20


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", nargs="*", type=Path, help="labelled files; else our seeds and data")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    files = given.csv or [ROOT / "seeds" / "comments.csv", *sorted(DATA.glob("*/*.csv"))]
    print(f"{machine.describe()}; {len(files)} files\n")
    print("| training from scratch | median (least-most) |\n| --- | --- |")
    taken = zip(*(measured(files) for _ in range(given.runs)), strict=True)
    for name, values in zip(("seconds", "CPU-seconds", "peak memory, MB"), taken, strict=True):
        print(f"| {name} | {machine.spread(values)} |")


if __name__ == "__main__":
    main()
