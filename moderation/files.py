"""Output files that are either whole or not there, and CSV that is read as it was written."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOENT
from pathlib import Path
from typing import IO, Any, TextIO, cast


@contextmanager
def replacing(path: Path, *, alone: bool = False) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place once all has gone well.

    `alone`: nobody else writes `path` now. Its name is always the same then, so that what a killed
    process left is written over.
    """
    if path.exists() and not path.is_file():  # a pipe or a terminal is written to as it is
        yield path
        return
    temporary = path.with_name(f".{path.name}.part")
    if not alone:
        if not path.parent.is_dir():
            raise FileNotFoundError(ENOENT, "There is no such folder", str(path.parent))
        handle, name = tempfile.mkstemp(path.suffix, f".{path.name}.", path.parent)
        os.close(handle)
        temporary = Path(name)
    try:
        yield temporary
        _finish(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def writing_text(path: Path | None, *, alone: bool = False) -> Iterator[TextIO]:
    """A text file in UTF-8, gzipped by its name; standard output without a path. `alone` as above.

    What could not be decoded on the way in goes out as the same bytes.
    """
    if path is None:
        out = cast(TextIO, sys.stdout)
        if hasattr(out, "reconfigure"):
            out.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
        yield out
        out.flush()
        return
    with replacing(path, alone=alone) as temporary, temporary.open("wb") as raw:
        packed = gzip.GzipFile(path.stem, "wb", 6, raw, mtime=0) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(
            cast(IO[bytes], packed), encoding="utf-8", errors="surrogateescape", newline=""
        ) as file:
            yield file


def csv_writer(file: TextIO) -> Any:
    """A writer of CSV lines that end in a newline, with every cell quoted that has to be.

    csv.writer leaves a lone carriage return bare unless lines end in one too (before Python 3.13),
    and readers take it for the end of the row.
    """
    return csv.writer(_NewlinesOnly(file), lineterminator="\r\n")


class _NewlinesOnly:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(f"{line[:-2]}\n")


def _finish(temporary: Path, path: Path) -> None:
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    temporary.chmod(mode)
    temporary.replace(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
