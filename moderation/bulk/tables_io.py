"""Files of rows, read and written in pieces: CSV, gzipped CSV, JSON lines, Parquet.

A row is a dict. What a cell holds goes out as it came in, invalid bytes included; from CSV to CSV,
so does the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TextIO, cast

from moderation.errors import ModerationError
from moderation.files import csv_writer, replacing, writing_text

Row = dict[str, Any]
Added = Sequence[str | float]
"""What a row gets beside its own, in the order of the columns added."""
Write = Callable[[Sequence[Row], Sequence[Added]], None]
KINDS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")


class BadTable(ModerationError):
    """A file of rows that cannot be read or written."""

    title = "Bad table"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class CsvRow(Row):
    """A row with the line, or lines, that it was written as, without the end of the last; None
    where cells were missing."""

    __slots__ = ("line",)
    line: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file of rows."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    length: int
    """Of the whole, in whatever `position` counts."""
    position: Callable[[], int]
    schema: Any = None
    """Parquet's own, so that its types stay."""


def kind_of(path: Path) -> str:
    """The kind of file, by its name; BadTable for one that is not known."""
    for kind in sorted(KINDS, key=len, reverse=True):
        if path.name.lower().endswith(kind):
            return kind
    raise BadTable(path, f"the name must end in {', '.join(KINDS)}.")


@contextmanager
def reading(path: Path, rows_at_once: int) -> Iterator[Source]:
    """The rows of a file."""
    kind = kind_of(path)
    if kind == ".parquet":
        with _parquet_source(path, rows_at_once) as source:
            yield source
        return
    with path.open("rb") as raw:
        unpacked = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if kind.endswith(".gz") else raw
        text = io.TextIOWrapper(
            unpacked, encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        read = _csv_rows if kind.startswith(".csv") else _json_rows
        rows = _named_errors(path, read(path, text))
        columns = next(rows)
        yield Source(tuple(columns), rows, path.stat().st_size, raw.tell)


@contextmanager
def writing(path: Path | None, kind: str, source: Source, added: Row) -> Iterator[Write]:
    """A writer of rows like the source's with columns added; `added` holds an example of each,
    which is text that needs no quotes, or a number.

    The file takes its name when all is written, and nobody else may write it now; without a path,
    rows go to standard output.
    """
    if kind == ".parquet":
        if path is None:
            raise BadTable("standard output", "Parquet needs a file; name one with -o.")
        with _parquet_writer(path, source, added) as write:
            yield write
        return
    with writing_text(path, alone=True) as file:
        if kind.startswith(".csv"):
            yield _csv_writer(file, [*source.columns, *added], [*added])
        else:
            yield _json_writer(file, [*added])


def _named_errors(path: Path, rows: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from rows
    except (EOFError, gzip.BadGzipFile) as error:
        raise BadTable(path, f"is not a whole gzip file ({error}).") from error


def _csv_rows(path: Path, text: TextIO) -> Iterator[Any]:
    """The header first, then a dict for each row."""
    csv.field_size_limit(sys.maxsize)  # a cell may be a whole book
    lines: list[str] = []
    # Not strict, a quote that is never closed would swallow the rest of the file in silence.
    reader = csv.reader(_kept(text, lines), strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise BadTable(path, "has no header row.")
        if doubled := {name for name in header if header.count(name) > 1}:
            raise BadTable(path, f"has the column {min(doubled)!r} twice; rename one.")
        yield header
        lines.clear()
        for cells in reader:
            missing = len(header) - len(cells)
            if missing < 0:
                problem = f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}"
                raise BadTable(path, f"{problem}; quote cells that hold a comma.")
            if cells or len(header) == 1:  # an empty line is an empty cell, or no row at all
                row = CsvRow(zip(header, cells + [""] * missing if missing else cells, strict=True))
                row.line = None if missing else "".join(lines).rstrip("\r\n")
                yield row
            lines.clear()
    except csv.Error as error:
        problem = f"line {reader.line_num} is not CSV ({error}); check its quotes."
        raise BadTable(path, problem) from error


def _kept(text: TextIO, lines: list[str]) -> Iterator[str]:
    for line in text:
        lines.append(line)
        yield line


def _json_rows(path: Path, text: TextIO) -> Iterator[Any]:
    """The first row's keys, then each row."""
    first = True
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadTable(path, f"line {number} is not JSON.") from error
        if not isinstance(row, dict):
            raise BadTable(path, f"line {number} is not a JSON object.")
        if first:
            yield list(row)
            first = False
        yield row
    if first:
        raise BadTable(path, "has no rows.")


def _csv_writer(file: TextIO, columns: Sequence[str], names: Sequence[str]) -> Write:
    writer = csv_writer(file)
    writer.writerow(columns)

    def write(rows: Sequence[Row], added: Sequence[Added]) -> None:
        for row, values in zip(rows, added, strict=True):
            line = row.line if isinstance(row, CsvRow) else None
            if line is not None:
                file.write(f"{line},{','.join(map(str, values))}\n")
                continue
            whole = _with(row, names, values)
            if unknown := whole.keys() - {*columns}:
                problem = f"a row has the field {min(unknown)!r}, which the first row lacks"
                raise BadTable("CSV", f"{problem}; write .jsonl.")
            writer.writerow([_cell(whole.get(column)) for column in columns])

    return write


def _json_writer(file: TextIO, names: Sequence[str]) -> Write:
    def write(rows: Sequence[Row], added: Sequence[Added]) -> None:
        for row, values in zip(rows, added, strict=True):
            whole = _with(row, names, values)
            line = json.dumps(whole, ensure_ascii=False)
            if not line.isascii():
                try:
                    line.encode()
                except UnicodeEncodeError:  # half characters, or bytes that were not UTF-8
                    line = json.dumps(whole)
            file.write(line + "\n")

    return write


def _with(row: Row, names: Sequence[str], values: Added) -> Row:
    return row | dict(zip(names, values, strict=True))


@contextmanager
def _parquet_source(path: Path, rows_at_once: int) -> Iterator[Source]:
    pa, pq = _pyarrow(path)
    try:
        with pq.ParquetFile(path) as file:
            done = 0

            def rows() -> Iterator[Row]:
                nonlocal done
                for batch in file.iter_batches(rows_at_once):
                    yield from batch.to_pylist()
                    done += batch.num_rows

            schema = file.schema_arrow
            yield Source(
                tuple(schema.names),
                rows(),
                file.metadata.num_rows,
                lambda: done,
                schema,
            )
    except pa.ArrowInvalid as error:
        raise BadTable(path, f"is not a Parquet file that can be read ({error}).") from error


@contextmanager
def _parquet_writer(path: Path, source: Source, added: Row) -> Iterator[Write]:
    pa, pq = _pyarrow(path)
    texts = pa.schema([(name, pa.string()) for name in source.columns])
    schema = source.schema or texts
    for name, value in added.items():
        schema = schema.append(pa.field(name, pa.float64() if value != str(value) else pa.string()))

    def write(rows: Sequence[Row], values: Sequence[Added]) -> None:
        shown = rows if source.schema else [_texts(row, texts.names) for row in rows]
        whole = [_with(row, [*added], own) for row, own in zip(shown, values, strict=True)]
        writer.write_table(pa.Table.from_pylist(whole, schema=schema))

    with replacing(path, alone=True) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        yield write


def _texts(row: Row, names: Sequence[str]) -> Row:
    """Every cell of the input as text that Parquet can hold."""
    return row | {n: _cell(row.get(n)).encode("utf-8", "replace").decode() for n in names}


def _cell(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _pyarrow(path: Path) -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise BadTable(path, "Parquet needs pyarrow: pip install 'moderation[parquet]'.") from error
