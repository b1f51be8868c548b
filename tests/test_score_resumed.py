"""A bulk run that was stopped goes on where it was, and writes what it would have written."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from moderation import bulk, settings
from moderation.bulk import ROWS_AT_ONCE
from moderation.bulk.journal import AlreadyRunning, Journal, NoFolder
from moderation.moderator import Moderator
from moderation.verdict import Comment
from tests.serving import clean_environment

Score = Callable[..., None]
PIECES = 5
_KINDS = ("csv", "csv.gz", "jsonl", "parquet")


class Stopped(BaseException):
    """What a kill is to code that runs on: nothing it could handle."""


@pytest.fixture
def score(models: Path) -> Score:
    policy = settings.load({}).policy("default")

    def call(source: Path, target: Path | None, **options: Any) -> None:
        bulk.score(source, target, models, policy, **{"jobs": 1, **options})

    return call


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of five pieces."""
    path = tmp_path / "in.csv"
    lines = [f"{n},{'pills' if n % 3 else 'bread'} {n}\n" for n in range(PIECES * ROWS_AT_ONCE)]
    path.write_text("id,text\n" + "".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contents that were judged."""
    seen: list[str] = []
    moderate = Moderator.moderate

    def spy(self: Moderator, comments: Sequence[Comment], *rest: Any) -> Any:
        seen.extend(comment.content for comment in comments)
        return moderate(self, comments, *rest)

    monkeypatch.setattr(Moderator, "moderate", spy)
    return seen


def stop_after(pieces: int) -> Callable[[int, int], None]:
    left = iter(range(pieces - 1))

    def progress(position: int, length: int) -> None:
        if next(left, None) is None:
            raise Stopped

    return progress


def stopped(score: Score, source: Path, target: Path, pieces: int = 2) -> None:
    with pytest.raises(Stopped):
        score(source, target, progress=stop_after(pieces))
    assert not target.exists()


@pytest.mark.parametrize("kind", _KINDS)
def test_the_output_is_the_same_and_nothing_is_judged_twice(
    score: Score, source: Path, tmp_path: Path, judged: list[str], kind: str
) -> None:
    whole, resumed = tmp_path / f"whole.{kind}", tmp_path / f"resumed.{kind}"
    score(source, whole)
    stopped(score, source, resumed, 2)
    judged.clear()
    stopped(score, source, resumed, 4)  # two more
    assert len(judged) == 2 * ROWS_AT_ONCE
    score(source, resumed)
    assert len(judged) == (PIECES - 2) * ROWS_AT_ONCE
    if kind == "csv.gz":  # a gzip file holds its own name
        whole.rename(tmp_path / "other")
        whole = tmp_path / "whole" / "resumed.csv.gz"
        whole.parent.mkdir()
        score(source, whole)
    assert resumed.read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "resumed." in path.name] == [resumed.name]


def test_a_piece_that_was_half_kept_is_judged_again(
    score: Score, source: Path, tmp_path: Path, judged: list[str]
) -> None:
    target, journal = tmp_path / "out.csv", tmp_path / "out.csv.journal"
    stopped(score, source, target, 3)
    journal.write_bytes(journal.read_bytes()[:-9])
    judged.clear()
    score(source, target)
    assert len(judged) == (PIECES - 2) * ROWS_AT_ONCE
    assert target.read_bytes().count(b"\n") == PIECES * ROWS_AT_ONCE + 1


def test_a_file_that_has_changed_is_judged_from_its_beginning(
    score: Score, source: Path, tmp_path: Path, judged: list[str]
) -> None:
    target = tmp_path / "out.csv"
    stopped(score, source, target)
    source.write_text(source.read_text(encoding="utf-8").replace("pills", "rolls"))
    judged.clear()
    score(source, target)
    assert len(judged) == PIECES * ROWS_AT_ONCE
    assert "pills" not in target.read_text(encoding="utf-8")


def test_another_column_begins_anew(
    score: Score, source: Path, tmp_path: Path, judged: list[str]
) -> None:
    target = tmp_path / "out.csv"
    stopped(score, source, target)
    judged.clear()
    score(source, target, text_column="id")
    assert len(judged) == PIECES * ROWS_AT_ONCE


@pytest.mark.parametrize("left", [b"", b"{}\n", b"\xff\n", b"[0, {}]\n[1, []]\n", b"[]", b"7\n"])
def test_a_journal_of_nothing_known_is_written_anew(
    score: Score, source: Path, tmp_path: Path, judged: list[str], left: bytes
) -> None:
    (tmp_path / "out.csv.journal").write_bytes(left)
    score(source, tmp_path / "out.csv")
    assert len(judged) == PIECES * ROWS_AT_ONCE
    assert not (tmp_path / "out.csv.journal").exists()


def test_two_runs_do_not_write_one_file(score: Score, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with Journal.beside(target, {}), pytest.raises(AlreadyRunning, match="another run"):
        score(source, target)
    score(source, target)


def test_a_folder_that_is_not_there_is_named(score: Score, source: Path, tmp_path: Path) -> None:
    with pytest.raises(NoFolder, match=r"there is no folder .*/none; make it first"):
        score(source, tmp_path / "none" / "out.csv")


def test_what_was_killed_goes_on(models: Path, source: Path, tmp_path: Path) -> None:
    source.write_bytes(source.read_bytes() + b"x,bread and butter and a long tail\n" * 12_000)
    target, journal = tmp_path / "out.csv", tmp_path / "out.csv.journal"
    command = [sys.executable, "-m", "moderation", "score", "--models-dir", str(models)]
    options: Any = {"env": clean_environment()}
    subprocess.run([*command, source, "-o", tmp_path / "whole.csv"], check=True, **options)
    with subprocess.Popen([*command, "--jobs", "2", source, "-o", target], **options) as process:
        while process.poll() is None and not _pieces_in(journal):
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -9
    assert not target.exists()
    assert _pieces_in(journal)
    for _ in range(100):  # until the processes that judged for it have ended, and let go of it
        done = subprocess.run(
            [*command, source, "-o", target], capture_output=True, check=False, **options
        )
        if b"another run" not in done.stderr:
            break
        time.sleep(0.1)
    assert (done.returncode, done.stderr) == (0, b"")
    assert target.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv", "whole.csv"]


def _pieces_in(journal: Path) -> int:
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0
