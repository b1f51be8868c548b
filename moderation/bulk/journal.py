"""What a long run has found so far, kept beside its output until that is whole.

A line of JSON for each piece of the work, behind one that says what run it is of. A run that was
killed finds its pieces again, and its output is the same to the byte as without the kill; a run
of anything else begins anew.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from moderation.errors import ModerationError

_SUFFIX = ".journal"


class AlreadyRunning(ModerationError):
    """Another run writes the same file."""

    title = "Already running"

    def __init__(self, output: Path) -> None:
        super().__init__(f"{output}: another run is writing it; wait for it, or name another file.")


class NoFolder(ModerationError):
    """There is no folder for the output."""

    title = "No folder"

    def __init__(self, output: Path) -> None:
        super().__init__(f"{output}: there is no folder {output.parent}; make it first.")


class Journal:
    """Pieces of one run: first `read` those of before, to the end, then `add` the others."""

    def __init__(self, file: IO[bytes] | None, run: Mapping[str, Any]) -> None:
        self._file, self._run = file, dict(run)
        self._lines = 0

    @classmethod
    @contextmanager
    def beside(cls, output: Path | None, run: Mapping[str, Any]) -> Iterator[Self]:
        """The journal of a run that writes this file; for a pipe or a terminal nothing is kept.

        It is removed when the run has ended, or met an error that it would meet again; it stays
        where the run was stopped.
        """
        if output is None or (output.exists() and not output.is_file()):
            yield cls(None, run)
            return
        if not output.parent.is_dir():
            raise NoFolder(output)
        path = output.with_name(output.name + _SUFFIX)
        with path.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(output) from None
            try:
                yield cls(file, run)
            except ModerationError:
                path.unlink(missing_ok=True)
                raise
            path.unlink(missing_ok=True)

    def read(self) -> Iterator[list[Any]]:
        """The pieces that an earlier run of the same kind has left, in order."""
        if self._file is None:
            return
        self._file.seek(0)
        end = 0
        while (piece := self._piece(line := self._file.readline())) is not None:
            if self._lines == 0 and piece != self._run:
                break
            end += len(line)
            self._lines += 1
            if self._lines > 1:
                yield piece
        self._file.truncate(end)  # what was begun when the run was killed, or is of another run

    def add(self, piece: list[Any]) -> None:
        """Keep one more piece."""
        if self._file is None:
            return
        if self._lines == 0:
            self._write(self._run)
        self._write(piece)
        self._file.flush()

    def _write(self, piece: Any) -> None:
        assert self._file is not None
        self._file.write(json.dumps([self._lines, piece]).encode() + b"\n")
        self._lines += 1

    def _piece(self, line: bytes) -> Any:
        """What a line holds if it is whole and the next one; else None."""
        try:
            number, piece = json.loads(line) if line.endswith(b"\n") else (-1, None)
        except (ValueError, TypeError):
            return None
        return piece if number == self._lines else None
