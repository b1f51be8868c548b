"""A Dask cluster of two processes, and files by URL: the same bytes come out as on one machine."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moderation.bulk import ROWS_AT_ONCE, cluster
from moderation.bulk.cluster import NoCluster, NoFile, connected, delivered, fetched
from tests.serving import COMMAND, ROOT, clean_environment, moderation

pytest.importorskip("distributed", reason="the extra dask is not installed")
fsspec: Any = pytest.importorskip("fsspec")

SEEDS = ROOT / "seeds" / "comments.csv"
_WAIT = 60


def seeds() -> io.StringIO:
    return io.StringIO(SEEDS.read_text(encoding="utf-8"), newline="")


class Dask:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        listening = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
        self._scheduler = self._start("scheduler", *listening)
        until = time.monotonic() + _WAIT
        while not self._file.exists():
            assert self._scheduler.poll() is None, self._said()
            assert time.monotonic() < until, self._said()
            time.sleep(0.05)
        self.address = str(json.loads(self._file.read_text())["address"])

    def add_worker(self, **environ: str) -> subprocess.Popen[bytes]:
        options = ["--host", "127.0.0.1", "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        self.workers.append(self._start("worker", *options, **environ))
        return self.workers[-1]

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(workers, timeout=_WAIT)

    def stop(self) -> None:
        for process in (*self.workers, self._scheduler):
            if process.poll() is None:
                process.terminate()
                process.wait(20)

    def _start(self, what: str, *options: str, **environ: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}"]
        with (self._folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--scheduler-file", str(self._file), *options],
                cwd=ROOT,
                env={**clean_environment(), "PYTHONPATH": str(ROOT), **environ},
                stdout=log,
                stderr=log,
            )

    def _said(self) -> str:
        return (self._folder / "dask.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    started = Dask(tmp_path_factory.mktemp("dask"))
    try:
        started.add_worker()
        started.add_worker()
        started.wait_for(2)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def comments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of nine pieces with as many kinds of cells as there are."""
    path = tmp_path_factory.mktemp("comments") / "in.csv"
    texts = [row["text"] for row in csv.DictReader(seeds())]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["n", "text", "author", "article"])
        for n in range(8 * ROWS_AT_ONCE + 7):
            writer.writerow([n, f"{texts[n % len(texts)]} {n}", "Ann" * (n % 3), "Bread" * (n % 2)])
    return path


@pytest.fixture(scope="module")
def alone(comments: Path) -> bytes:
    """What one process writes of them."""
    out = comments.with_name("alone.csv")
    moderation(comments.parent, "score", comments, "-o", out, "--jobs", 1)
    return out.read_bytes()


def test_a_cluster_scores_to_the_same_bytes(
    dask: Dask, comments: Path, alone: bytes, tmp_path: Path
) -> None:
    moderation(tmp_path, "score", comments, "-o", tmp_path / "out.csv", "--dask", dask.address)
    assert (tmp_path / "out.csv").read_bytes() == alone
    assert b",hold," in alone
    assert b",publish," in alone


def test_a_worker_that_dies_costs_nothing_but_time(
    comments: Path, alone: bytes, tmp_path: Path
) -> None:
    own = Dask(tmp_path)
    try:
        first, _ = own.add_worker(), own.add_worker()
        own.wait_for(2)
        out = tmp_path / "out.csv"
        command = [*COMMAND, "score", str(comments), "-o", str(out), "--dask", own.address]
        with subprocess.Popen(command, cwd=ROOT, env=clean_environment()) as run:
            journal = tmp_path / "out.csv.journal"
            while run.poll() is None and not (journal.exists() and journal.stat().st_size):
                time.sleep(0.01)
            first.kill()
        assert run.returncode == 0
        assert out.read_bytes() == alone
    finally:
        own.stop()


def test_a_cluster_trains_the_same_weights(dask: Dask, tmp_path: Path) -> None:
    rows = list(csv.reader(seeds()))
    some = tmp_path / "some.csv"
    with some.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *rows[1::12]])
    made = {}
    for name, options in {
        "alone": [some],
        "cluster": [some.as_uri(), "--dask", dask.address],
    }.items():
        own = ["--models-dir", tmp_path / name, "--from-scratch", "--no-activate"]
        moderation(tmp_path, "train", *own, *options)
        (manifest,) = (tmp_path / name).glob("*/manifest.json")
        made[name] = json.loads(manifest.read_text(encoding="utf-8"))
    for fact in ("weights_sha256", "calibration", "thresholds", "validation", "held_out"):
        assert made["alone"][fact] == made["cluster"][fact], fact


def test_where_no_scheduler_answers_that_is_said(tmp_path: Path, comments: Path) -> None:
    to = ["-o", tmp_path / "out.csv"]
    said = moderation(tmp_path, "score", comments, *to, "--dask", "tcp://127.0.0.1:1", code=2)
    assert "dask scheduler" in said
    assert not (tmp_path / "out.csv").exists()


def test_a_cluster_without_workers_or_with_others_versions_is_refused(
    tmp_path: Path,
) -> None:
    other = tmp_path / "numpy-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    own = Dask(tmp_path)
    try:
        with pytest.raises(NoCluster, match="has no workers"), connected(own.address):
            pass
        own.add_worker(PYTHONPATH=f"{tmp_path}:{ROOT}")
        own.wait_for(1)
        with pytest.raises(NoCluster, match=r"has numpy 0\.0\.1"), connected(own.address):
            pass
    finally:
        own.stop()


def test_who_asks_the_second_opinion_needs_its_versions_to_be_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra second-opinion is not installed")
    other = tmp_path / "onnxruntime-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime\nVersion: 0.0.1\n")
    own = Dask(tmp_path)
    try:
        own.add_worker(PYTHONPATH=f"{tmp_path}:{ROOT}")
        own.wait_for(1)
        score = ("score", SEEDS, "-o", tmp_path / "out.csv", "--dask", own.address)
        said = moderation(tmp_path, *score, code=2, second_opinion="uncertain")
        assert "has onnxruntime 0.0.1" in said
        assert not (tmp_path / "out.csv").exists()
        moderation(tmp_path, *score, second_opinion="no")
    finally:
        own.stop()


def test_files_elsewhere_are_read_and_written_by_url(
    comments: Path, alone: bytes, tmp_path: Path
) -> None:
    places = [path.as_uri() for path in (comments, tmp_path / "out.csv")]
    moderation(tmp_path, "score", places[0], "-o", places[1], "--jobs", 1)
    assert (tmp_path / "out.csv").read_bytes() == alone
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the copies that are kept."""
    monkeypatch.setattr(cluster, "user_cache_path", lambda name: tmp_path / name)
    return lambda: sorted(
        p.name for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith(".")
    )


def test_a_stopped_run_finds_its_copies_again(caches: Callable[[], list[str]]) -> None:
    bucket = fsspec.filesystem("memory")
    bucket.pipe("/bucket/in.csv", b"text\nx\n")
    urls = ("memory://bucket/in.csv", "memory://bucket/out.csv")

    def run(work: Callable[[Path, Path], None]) -> None:
        with fetched(urls[0]) as (source,), delivered(urls[1]) as target:
            assert target
            work(source, target)

    def stopped(source: Path, target: Path) -> None:
        source.write_bytes(b"the copy")  # so that it is known again
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    assert caches() == ["in.csv", "out.csv"]
    assert not bucket.exists("/bucket/out.csv")

    def again(source: Path, target: Path) -> None:
        assert (source.read_bytes(), target.read_bytes()) == (b"the copy", b"half")
        with pytest.raises(NoFile, match="another run"):
            run(lambda *_: None)
        target.write_bytes(b"whole")

    run(again)
    assert bucket.cat("/bucket/out.csv") == b"whole"
    assert caches() == []
    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    bucket.pipe("/bucket/in.csv", b"text\nchanged\n")
    run(lambda source, target: target.write_bytes(source.read_bytes()) and None)
    assert bucket.cat("/bucket/out.csv") == b"text\nchanged\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory://bucket/none.csv", "cannot be read"),
        ("nothing://bucket/in.csv", "is no URL"),
        ("s3://bucket/in.csv", "s3fs"),
    ],
)
def test_what_cannot_be_read_is_named(
    url: str, said: str, caches: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as where it is not installed
    with pytest.raises(NoFile, match=said), fetched(url):
        pass
    assert caches() == []


def test_without_the_extra_the_option_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoCluster, match=r"moderation\[dask\]"), connected("tcp://127.0.0.1:1"):
        pass


def test_who_does_not_ask_for_it_does_not_load_it(tmp_path: Path) -> None:
    code = (
        "import sys, moderation.bulk, moderation.commands.score, training.commands; "
        "print([m for m in ('dask', 'distributed', 'fsspec') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
