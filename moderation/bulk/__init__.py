"""Verdicts on a whole file: in pieces, in order, and nothing recorded.

This process reads and writes; where there is more than one piece, others judge. What they said is
kept in a journal until the output is whole, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from moderation.bulk import crew
from moderation.bulk.journal import Journal
from moderation.bulk.tables_io import Added, BadTable, Row, Source, kind_of, reading, writing
from moderation.checks import build
from moderation.classifier import Assessment, Classifier
from moderation.folding import MAX_CHARACTERS
from moderation.moderator import Moderator
from moderation.second_opinion import NEVER, PACKAGES
from moderation.settings import Policy
from moderation.shelf import ModelShelf
from moderation.verdict import Article, Author, Comment, Span, Verdict

ROWS_AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 1_000_000
"""Of very long texts, fewer rows: judging takes some hundred bytes for each character."""
TEXT_COLUMNS = ("text", "content", "comment")
ADDED: Row = {"decision": "", "spam": 0.0, "abuse": 0.0, "reasons": ""}

Progress = Callable[[int, int], None]


class Text(NamedTuple):
    """What is judged of a row: plain strings, which go to other processes quickly."""

    content: str
    author: str
    author_url: str
    article: str


Piece = tuple[list[Row], list[Text]]


def score(
    source: Path,
    target: Path | None,
    models: Path,
    policy: Policy,
    *,
    text_column: str | None = None,
    prefix: str = "",
    jobs: int | None = None,
    consult: str = NEVER,
    dask: str = "",
    progress: Progress = lambda position, length: None,
) -> None:
    """Write every row of `source` with the verdict on it, in the same order.

    Only the first 65,536 characters of a text are judged: no comment is longer. `jobs` are the
    processes that judge; without a number, as many as there are processors for us. `consult`
    says when the second opinion is asked, where it is installed. `dask` is the address of a cluster
    that judges instead; no bit of the output depends on that. `progress` hears of rows read, and
    their whole number, in whatever the file counts in.
    """
    kind = kind_of(target) if target else kind_of(source).removesuffix(".gz")
    added = {prefix + name: example for name, example in ADDED.items()}
    model = _model(models, consult)  # one that is refused is so before anything is written
    with reading(source, ROWS_AT_ONCE) as table:
        column = _text_column(source, table, text_column)
        if taken := [name for name in added if name in table.columns]:
            problem = f"has a column {taken[0]!r} already; --prefix sets the new ones apart"
            raise BadTable(source, f"{problem}.")
        run = {
            "column": column,
            "model": model.version,
            "consult": consult,
            "second": model.second,
            **_facts(source, policy),
        }
        with Journal.beside(target, run) as journal, writing(target, kind, table, added) as write:
            pieces = _pieces(table.rows, column)
            for said in journal.read():
                rows, _ = next(pieces)
                write(rows, said)
                progress(table.position(), table.length)
            if dask:
                judged = crew.on_cluster(pieces, _judge_by, model, policy, dask)
            else:
                judged = crew.here(pieces, partial(_judge, models, consult, policy), jobs)
            for rows, said in judged:
                journal.add(said)
                write(rows, said)
                progress(table.position(), table.length)


class Unexplained:
    """The model without the words behind a score: nobody sees them here, and they take longer
    to find than the score."""

    def __init__(self, model: Classifier) -> None:
        self.version = model.version
        self.assess: Callable[[Sequence[Comment]], list[Assessment]] = model.assess
        self.threshold: Callable[[str, float], float] = model.threshold
        self.second = model.second.name if model.second else None
        self.packages = PACKAGES if model.second else ()

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        """Nothing."""
        return ()


@cache
def _model(models: Path, consult: str) -> Unexplained:
    """Loaded once, before other processes are forked from this one."""
    return Unexplained(ModelShelf(models, consult=consult).active())


@lru_cache(1)
def _moderator(model: Unexplained) -> Moderator:
    return Moderator(build(model), model)


def _judge(models: Path, consult: str, policy: Policy, texts: Sequence[Text]) -> list[Added]:
    return _judge_by(_model(models, consult), policy, texts)


def _judge_by(model: Unexplained, policy: Policy, texts: Sequence[Text]) -> list[Added]:
    verdicts = _moderator(model).moderate([_comment(text) for text in texts], policy)
    return [_added(verdict) for verdict in verdicts]


def _facts(source: Path, policy: Policy) -> Row:
    """What a run's verdicts depend on, beside the model and the column."""
    status = source.stat()
    return {
        "source": str(source.resolve()),
        "size": status.st_size,
        "changed": status.st_mtime_ns,
        "policy": hashlib.sha256(repr(policy).encode()).hexdigest(),
        "pieces": [ROWS_AT_ONCE, CHARACTERS_AT_ONCE],
        "code": Path(__file__).stat().st_mtime_ns,
    }


def _pieces(rows: Iterator[Row], column: str) -> Iterator[Piece]:
    taken: list[Row] = []
    texts: list[Text] = []
    characters = 0
    for row in rows:
        text = _text_of(row, column)
        taken.append(row)
        texts.append(text)
        characters += len(text.content)
        if len(taken) == ROWS_AT_ONCE or characters > CHARACTERS_AT_ONCE:
            yield taken, texts
            taken, texts, characters = [], [], 0
    if taken:
        yield taken, texts


def _text_of(row: Row, column: str) -> Text:
    return Text(
        _text(row.get(column)),
        _text(row.get("author")),
        _text(row.get("author_url")),
        _text(row.get("article")),
    )


def _text(cell: Any) -> str:
    """A cell as a comment can hold it: no NUL, and no bytes that were not UTF-8."""
    if not cell:
        return "" if cell is None else str(cell)
    text = cell if isinstance(cell, str) else str(cell)
    cut = text[:MAX_CHARACTERS].replace("\0", "\ufffd")
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def _comment(text: Text) -> Comment:
    author = Author(text.author, url=text.author_url) if text[1:3] != ("", "") else _NOBODY
    return Comment(text.content, author, Article(title=text.article) if text.article else _NOTHING)


_NOBODY, _NOTHING = Author(), Article()


def _added(verdict: Verdict) -> Added:
    reasons = ";".join([finding.code for finding in verdict.reasons]) if verdict.reasons else ""
    return verdict.decision, verdict.scores["spam"], verdict.scores["abuse"], reasons


def _text_column(path: Path, table: Source, wanted: str | None) -> str:
    for name in (wanted,) if wanted else TEXT_COLUMNS:
        if name in table.columns:
            return name
    sought = wanted or " or ".join(TEXT_COLUMNS)
    listed = ", ".join(table.columns)
    raise BadTable(path, f"has no column {sought}; name it with --text. Its columns: {listed}.")
