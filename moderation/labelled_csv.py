"""The labelled CSV as it leaves the service: safe to open in a spreadsheet, and read back exactly.

A spreadsheet runs a cell that begins with one of these characters as a formula. An apostrophe in
front stops it; a cell that begins with apostrophes and then such a character gets one more, so
that taking one off always gives the text back.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping

from moderation.files import csv_writer
from moderation.store.labels import LABEL_COLUMNS

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


def neutralise(cell: str) -> str:
    """The cell as a spreadsheet may see it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """The cell as it was before `neutralise`."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


def csv_lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The labelled CSV, one row at a time, header first."""
    buffer = io.StringIO()
    writer = csv_writer(buffer)
    writer.writerow(LABEL_COLUMNS)
    for row in rows:
        writer.writerow([neutralise(row[column]) for column in LABEL_COLUMNS])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
