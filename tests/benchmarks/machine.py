"""What the benchmarks share: the machine they run on, commands and their cost, and spread."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.serving import clean_environment

# Tuning of one machine's BLAS would make its figures nobody else's.
_TUNING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_seconds: float


def describe() -> str:
    """Cores, processor, Python."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return f"{cores} cores, {_processor()}, Python {platform.python_version()}"


def environment() -> dict[str, str]:
    """Of a measured command: without settings of ours, and without tuning of this machine."""
    return {name: value for name, value in clean_environment().items() if name not in _TUNING}


def run(*arguments: str | Path) -> Cost:
    """Run `moderation ARGUMENTS` and say what it took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "moderation", *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, used)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median, and in brackets the least and the most."""
    shown = (statistics.median(values), min(values), max(values))
    return "{:.{d}f} ({:.{d}f}-{:.{d}f})".format(*shown, d=digits)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
