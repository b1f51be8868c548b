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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderation.errors import ModerationError
from moderation.folding import fold
from moderation.labelled_csv import restore
from moderation.verdict import Author, Comment

LABELS = ("ok", "spam", "abuse")
REQUIRED = ("text", "label")
OPTIONAL = (
    "fine_label", "author", "author_url", "article", "lang", "source", "split", "weight"
)  # fmt: skip
_SYNONYMS = {"ham": "ok"}
_OURS = ("seeds", "comments")
"""Folder and name of our own seeds, which training treats apart from a site's `comments.csv`."""
_CELL_LIMIT = 2**31 - 1
_NOT_LETTERS = re.compile(r"[\W\d_]+|https?://\S+|www\.\S+")
_KEY_LENGTH = 200


class BadDataset(ModerationError):
    """A labelled CSV that cannot be trained on: which file, which row, and how to mend it."""

    status = 422
    title = "Bad labelled CSV"

    def __init__(
        self, file: Path | str, problem: str, row: int | None = None, line: int | None = None
    ) -> None:
        place = str(file) if row is None else f"{file}, row {row}"
        # a cell may hold line breaks: spreadsheets count rows, editors count lines
        place += "" if line in (None, row) else f" (line {line})"
        super().__init__(f"{place}: {problem}")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled comment. `corpus` is its file, `place` its row there (the header is row 1),
    `line` the line of the file that it ends on."""

    text: str
    label: str
    fine_labels: frozenset[str]
    author: str
    author_url: str
    article: str
    weight: float
    corpus: str
    place: int
    line: int

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
        raise unusable(corpora, "no rows; put labelled comments below the header")
    if len(total) == 1:
        only = next(iter(total))
        problem = f"every row is {only!r}; a model learns from both sides, so add rows that are "
        raise unusable(corpora, problem + ("spam or abuse" if only == "ok" else "ok"))
    return corpora


def unusable(corpora: Sequence[Corpus], problem: str) -> BadDataset:
    """The error of files that are well-formed and that nothing can be learnt from."""
    return BadDataset(", ".join(str(corpus.path) for corpus in corpora), problem)


def key(text: str) -> str:
    """What two copies of a comment share though links, numbers and punctuation differ."""
    folded = fold(text)
    letters = _NOT_LETTERS.sub("", folded)[:_KEY_LENGTH] or folded
    return hashlib.blake2b(letters.encode("utf-8", "replace"), digest_size=8).hexdigest()


def sample(rows: Sequence[Row], per_corpus: int) -> list[int]:
    """Places of at most so many rows of each corpus, the same ones each time, in a mixed order; a
    smaller sample is part of a larger one."""
    order = sorted(
        range(len(rows)),
        key=lambda i: hashlib.blake2b(f"{rows[i].corpus}/{rows[i].line}".encode()).digest(),
    )
    taken: Counter[str] = Counter()
    chosen = []
    for i in order:
        taken[rows[i].corpus] += 1
        if taken[rows[i].corpus] <= per_corpus:
            chosen.append(i)
    return chosen


def _names(paths: Sequence[Path]) -> list[str]:
    """Short names for the files: the stem, with its folder where the stem alone is not unique or
    is the name of our seeds."""
    stems = Counter(path.stem for path in paths)
    names = []
    for path in paths:
        folder = path.resolve().parent.name
        alone = stems[path.stem] == 1 and path.stem != _OURS[1]
        ours = (folder, path.stem) == _OURS
        names.append(path.stem if alone or ours else f"{folder}/{path.stem}")
    twice = Counter(names)
    return [name if twice[name] == 1 else f"{name} ({i})" for i, name in enumerate(names, start=1)]


def _read(path: Path, name: str, mapping: Mapping[str, str]) -> Corpus:
    csv.field_size_limit(_CELL_LIMIT)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadDataset(path, f"cannot be read ({error.strerror})") from error
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace") + "?"
        row = sum(1 for _ in csv.reader(_lines(before)))
        problem = "not UTF-8; save it as UTF-8 and try again"
        raise BadDataset(path, problem, row, before.count("\n") + 1) from error
    if not content.strip():
        raise BadDataset(path, "is empty; it needs a header with the columns text,label")
    rows = tuple(_rows(path, name, content, mapping))
    return Corpus(name, path, hashlib.sha256(data).hexdigest(), rows)


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of a file, and its first and last line there."""

    path: Path
    corpus: str
    row: int
    first: int
    last: int

    def wrong(self, problem: str) -> BadDataset:
        return BadDataset(self.path, problem, self.row, self.first)


def _rows(path: Path, name: str, content: str, mapping: Mapping[str, str]) -> Iterator[Row]:
    lines = csv.reader(_lines(content), strict=True)
    number, first = 1, 1
    try:
        header = [cell.strip() for cell in next(lines)]
        columns = _columns(path, header)
        number, first = 2, lines.line_num + 1
        for cells in lines:
            place = _Place(path, name, number, first, lines.line_num)
            number, first = number + 1, lines.line_num + 1
            if not cells:
                continue  # an empty line; it counts, as in a spreadsheet
            if len(cells) != len(header):
                raise place.wrong(
                    f"{len(cells)} cells where the header has {len(header)}; "
                    "put cells that hold commas, quotes or line breaks in double quotes"
                )
            if not any(map(str.strip, cells)):
                continue  # as spreadsheets leave them below a table
            row = _row(place, {c: restore(cells[i]) for c, i in columns.items()}, mapping)
            if row is not None:
                yield row
    except csv.Error as error:
        raise BadDataset(path, _malformed(str(error)), number, first) from error


def _malformed(problem: str) -> str:
    if "end of data" in problem:
        return 'a cell opens with " and nothing closes it; put quotes inside a cell twice ("")'
    if "new-line" in problem:
        return "a lone carriage return outside quotes; save it with line ends of LF or CRLF"
    return f"not a well-formed CSV ({problem})"


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
            f"it has {', '.join(map(_shown, header[:12]))}"
        )
        if len(header) == 1 and (sign := next(filter(header[0].__contains__, ";\t|"), "")):
            problem += f"; separate columns by commas, not by {sign!r}"
        raise BadDataset(path, problem, 1)
    return {column: header.index(column) for column in (*REQUIRED, *OPTIONAL) if column in header}


def _row(place: _Place, cells: Mapping[str, str], mapping: Mapping[str, str]) -> Row | None:
    value = cells["label"].strip()
    if not value and "" not in mapping:
        raise place.wrong("the label is empty; write ok, spam or abuse, or take the row out")
    label = mapping.get(value, value)
    label = _SYNONYMS.get(label.lower(), label.lower())
    if label not in LABELS:
        raise place.wrong(
            f"label {_shown(value)} is none of ok, spam, abuse; mend it, or say what it means with "
            f"--map {_shown(value)}=ok (or spam, or abuse)"
        )
    weight = _weight(place, cells.get("weight", ""))
    if not cells["text"].strip():
        return None  # nothing to learn from, and nothing wrong
    fine = frozenset(
        filter(None, (part.strip() for part in cells.get("fine_label", "").split(";")))
    )
    return Row(
        cells["text"], label, fine, cells.get("author", ""), cells.get("author_url", ""),
        cells.get("article", ""), weight, place.corpus, place.row, place.last,
    )  # fmt: skip


def _shown(value: str) -> str:
    # a text that slipped into the column of labels would fill the screen
    return repr(value if len(value) <= 40 else f"{value[:40]}…")


def _weight(place: _Place, value: str) -> float:
    try:
        weight = float(value) if value.strip() else 1.0
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1000:
        raise place.wrong(
            f"weight {_shown(value)} is no number from 0 to 1000; mend it or leave the cell empty"
        )
    return weight
