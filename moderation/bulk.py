"""Verdicts on a whole file: in pieces, in order, and nothing recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

from moderation.checks import build
from moderation.classifier import Assessment, Classifier
from moderation.moderator import Moderator
from moderation.schemas import MAX_CONTENT
from moderation.settings import Policy
from moderation.shelf import ModelShelf
from moderation.tables_io import BadTable, Row, Source, kind_of, reading, writing
from moderation.verdict import Article, Author, Comment, Span, Verdict

ROWS_AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 1_000_000
"""Of very long texts, fewer rows: judging takes some hundred bytes for each character."""
TEXT_COLUMNS = ("text", "content", "comment")
ADDED: Row = {"decision": "", "spam": 0.0, "abuse": 0.0, "reasons": ""}

Judge = Callable[[list[Comment]], list[Row]]
Progress = Callable[[int, int], None]


def score(
    source: Path,
    target: Path | None,
    models: Path,
    policy: Policy,
    *,
    text_column: str | None = None,
    prefix: str = "",
    jobs: int = 1,
    progress: Progress = lambda position, length: None,
) -> None:
    """Write every row of `source` with the verdict on it, in the same order.

    Only the first 65,536 characters of a text are judged: no comment is longer.
    """
    kind = kind_of(target) if target else kind_of(source).removesuffix(".gz")
    added = {prefix + name: example for name, example in ADDED.items()}
    judge = partial(_judge, models, policy)
    judge([])  # a model that is refused is so before anything is written, and workers share it
    with reading(source, ROWS_AT_ONCE) as table:
        column = _text_column(source, table, text_column)
        if taken := [name for name in added if name in table.columns]:
            problem = f"has a column {taken[0]!r} already; --prefix sets the new ones apart"
            raise BadTable(source, f"{problem}.")
        with writing(target, kind, table, added) as write:
            for rows, verdicts in _judged(table.rows, column, judge, jobs):
                write(
                    [
                        _with(row, verdict, prefix)
                        for row, verdict in zip(rows, verdicts, strict=True)
                    ]
                )
                progress(table.position(), table.length)


class _Unexplained:
    """The model without the words behind a score: nobody sees them here, and they take longer
    to find than the score."""

    def __init__(self, model: Classifier) -> None:
        self.version = model.version
        self.assess: Callable[[Sequence[Comment]], list[Assessment]] = model.assess
        self.threshold: Callable[[str, float], float] = model.threshold

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        """Nothing."""
        return ()


@cache
def _moderator(models: Path) -> Moderator:
    """Once in each process."""
    model = _Unexplained(ModelShelf(models).active())
    return Moderator(build(model), model)


def _judge(models: Path, policy: Policy, comments: list[Comment]) -> list[Row]:
    return [_row(verdict) for verdict in _moderator(models).moderate(comments, policy)]


def _judged(
    rows: Iterator[Row], column: str, judge: Judge, jobs: int
) -> Iterator[tuple[list[Row], list[Row]]]:
    """Pieces of rows with the verdicts on them."""
    if jobs == 1:
        for piece in _pieces(rows, column):
            yield piece, judge([_comment(row, column) for row in piece])
        return
    waiting: deque[tuple[list[Row], Future[list[Row]]]] = deque()
    with ProcessPoolExecutor(jobs) as pool:
        for piece in _pieces(rows, column):
            waiting.append((piece, pool.submit(judge, [_comment(row, column) for row in piece])))
            if len(waiting) > 2 * jobs:  # enough to keep all busy, and no whole file in memory
                first, verdicts = waiting.popleft()
                yield first, verdicts.result()
        for first, verdicts in waiting:
            yield first, verdicts.result()


def _pieces(rows: Iterator[Row], column: str) -> Iterator[list[Row]]:
    piece: list[Row] = []
    characters = 0
    for row in rows:
        piece.append(row)
        characters += min(len(str(row.get(column))), MAX_CONTENT)
        if len(piece) == ROWS_AT_ONCE or characters > CHARACTERS_AT_ONCE:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece


def _comment(row: Row, column: str) -> Comment:
    author = Author(name=_text(row.get("author")), url=_text(row.get("author_url")))
    article = Article(title=_text(row.get("article")))
    return Comment(_text(row.get(column)), author, article)


def _text(cell: Any) -> str:
    """A cell as a comment can hold it: no NUL, and no bytes that were not UTF-8."""
    text = cell if isinstance(cell, str) else "" if cell is None else str(cell)
    cut = text[:MAX_CONTENT].replace("\0", "\ufffd")
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def _row(verdict: Verdict) -> Row:
    return {
        "decision": verdict.decision,
        "spam": verdict.scores["spam"],
        "abuse": verdict.scores["abuse"],
        "reasons": ";".join(finding.code for finding in verdict.reasons),
    }


def _with(row: Row, verdict: Row, prefix: str) -> Row:
    return row | {prefix + name: value for name, value in verdict.items()}


def _text_column(path: Path, table: Source, wanted: str | None) -> str:
    for name in (wanted,) if wanted else TEXT_COLUMNS:
        if name in table.columns:
            return name
    sought = wanted or " or ".join(TEXT_COLUMNS)
    listed = ", ".join(table.columns)
    raise BadTable(path, f"has no column {sought}; name it with --text. Its columns: {listed}.")
