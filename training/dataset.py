"""Labelled CSV files → rows, strictly: a file that is not quite right is refused, with the place.

Format: UTF-8 (a byte-order mark is fine), a header with `text` and `label`, and any of the
optional columns below; others are kept out. Labels are `ok`, `spam` or `abuse` (`ham` is `ok`).
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderation.errors import ModerationError
from moderation.text import fold
from moderation.verdict import Author, Comment

LABELS = ("ok", "spam", "abuse")
REQUIRED = ("text", "label")
OPTIONAL = (
    "fine_label", "author", "author_url", "article", "lang", "source", "split", "weight"
)  # fmt: skip
_SYNONYMS = {"ham": "ok"}
_CELL_LIMIT = 2**31 - 1
_NEUTRALISED = re.compile(r"'(?=[=+\-@\t\r])")
_NOT_LETTERS = re.compile(r"[\W\d_]+|https?://\S+|www\.\S+")
_KEY_LENGTH = 200


class BadDataset(ModerationError):
    """A labelled CSV that cannot be trained on: which file, which row, and how to mend it."""

    status = 422
    title = "Bad labelled CSV"

    def __init__(self, file: Path | str, problem: str, row: int | None = None) -> None:
        place = f"{file}, row {row}" if row is not None else str(file)
        super().__init__(f"{place}: {problem}")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled comment. `corpus` is its file, `place` its row there (the header is row 1)."""

    text: str
    label: str
    fine_labels: frozenset[str]
    author: str
    author_url: str
    article: str
    weight: float
    corpus: str
    place: int

    def comment(self) -> Comment:
        """The row as a reader would have submitted it."""
        return Comment(self.text, Author(name=self.author, url=self.author_url))


@dataclass(frozen=True, slots=True)
class Corpus:
    """One file: its rows and the SHA-256 of its bytes."""

    name: str
    path: Path
    sha256: str
    rows: tuple[Row, ...]

    @property
    def labels(self) -> Counter[str]:
        """How many rows of each label."""
        return Counter(row.label for row in self.rows)


def read(paths: Sequence[Path], mapping: Mapping[str, str] | None = None) -> list[Corpus]:
    """Reads all files, or none: raises BadDataset at the first thing that is wrong.

    `mapping` renames label values, as `{"toxic": "abuse"}`.
    """
    names = _names(paths)
    corpora = [_read(path, name, mapping or {}) for path, name in zip(paths, names, strict=True)]
    total = sum((corpus.labels for corpus in corpora), Counter[str]())
    if not total:
        raise BadDataset(
            ", ".join(map(str, paths)), "no rows; put labelled comments below the header"
        )
    if len(total) == 1:
        only = next(iter(total))
        raise BadDataset(
            ", ".join(map(str, paths)),
            f"every row is {only!r}; a model learns from both sides, so add rows that are "
            + ("spam or abuse" if only == "ok" else "ok"),
        )
    return corpora


def key(text: str) -> str:
    """What two copies of a comment share though links, numbers and punctuation differ."""
    folded = fold(text)
    letters = _NOT_LETTERS.sub("", folded)[:_KEY_LENGTH] or folded
    return hashlib.blake2b(letters.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _names(paths: Sequence[Path]) -> list[str]:
    """Short names for the files: the stem, with its folder where the stem alone is not unique."""
    stems = Counter(path.stem for path in paths)
    return [
        path.stem if stems[path.stem] == 1 else "/".join(path.with_suffix("").parts[-2:])
        for path in paths
    ]


def _read(path: Path, name: str, mapping: Mapping[str, str]) -> Corpus:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadDataset(path, f"cannot be read ({error.strerror})") from error
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise BadDataset(path, "not UTF-8; save it as UTF-8 and try again", row) from error
    if not content.strip():
        raise BadDataset(path, "is empty; it needs a header with the columns text,label")
    rows = tuple(_rows(path, name, content, mapping))
    return Corpus(name, path, hashlib.sha256(data).hexdigest(), rows)


def _rows(path: Path, name: str, content: str, mapping: Mapping[str, str]) -> Iterator[Row]:
    csv.field_size_limit(_CELL_LIMIT)
    lines = csv.reader(_lines(content), strict=True)
    try:
        header = [cell.strip() for cell in next(lines)]
        columns = _columns(path, header)
        for cells in lines:
            place = lines.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                problem = (
                    f"{len(cells)} cells where the header has {len(header)}; "
                    "put cells that hold commas, quotes or line breaks in double quotes"
                )
                raise BadDataset(path, problem, place)
            row = _row(path, name, place, {c: cells[i] for c, i in columns.items()}, mapping)
            if row is not None:
                yield row
    except csv.Error as error:
        raise BadDataset(path, f"not a well-formed CSV ({error})", lines.line_num) from error


def _lines(content: str) -> Iterable[str]:
    # csv wants line ends kept; splitlines() would also break at rarer ones inside a cell
    return (line for line in re.split(r"(?<=\n)", content) if line)


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    for column in (*REQUIRED, *OPTIONAL):
        if header.count(column) > 1:
            raise BadDataset(path, f"the header has the column {column!r} twice; remove one", 1)
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        problem = (
            f"the header lacks the column {' and '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, header[:12]))}"
        )
        raise BadDataset(path, problem, 1)
    return {column: header.index(column) for column in (*REQUIRED, *OPTIONAL) if column in header}


def _row(
    path: Path, corpus: str, place: int, cells: Mapping[str, str], mapping: Mapping[str, str]
) -> Row | None:
    value = cells["label"].strip()
    label = mapping.get(value, value)
    label = _SYNONYMS.get(label.lower(), label.lower())
    if label not in LABELS:
        problem = (
            f"label {value!r} is none of ok, spam, abuse; mend it, or say what it means with "
            f"--map {value or 'VALUE'}=ok (or spam, or abuse)"
        )
        raise BadDataset(path, problem, place)
    text = (
        _NEUTRALISED.sub("", cells["text"], count=1) if cells["text"][:1] == "'" else cells["text"]
    )
    if not text.strip():
        return None  # nothing to learn from, and nothing wrong
    fine = frozenset(
        filter(None, (part.strip() for part in cells.get("fine_label", "").split(";")))
    )
    weight = _weight(path, place, cells.get("weight", ""))
    return Row(
        text, label, fine, cells.get("author", ""), cells.get("author_url", ""),
        cells.get("article", ""), weight, corpus, place,
    )  # fmt: skip


def _weight(path: Path, place: int, value: str) -> float:
    try:
        weight = float(value) if value.strip() else 1.0
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1000:
        problem = f"weight {value!r} is no number from 0 to 1000; mend it or leave the cell empty"
        raise BadDataset(path, problem, place)
    return weight


Progress = Callable[[str], None]
