"""The blog's own comments, in an SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

Status = Literal["held", "published", "rejected"]

_TABLE = """
create table if not exists comments (
    number integer primary key,
    id text not null unique,  -- known to the author only
    sent real not null,
    name text not null,
    url text not null,
    content text not null,
    status text not null default 'held',
    html text not null default '',
    service_id text,  -- null until the service has it
    facts text,  -- what the service is to be told, e-mail and address included; null afterwards
    asked real not null default 0
)"""


@dataclass(frozen=True, slots=True)
class Comment:
    """A reader's comment. `html` is what the service called safe; empty while it waits."""

    number: int
    id: str
    sent: datetime
    name: str
    url: str
    content: str
    status: Status
    html: str
    service_id: str | None
    facts: Mapping[str, Any] | None
    """What the service is still to be told; None once it has answered."""


class Comments:
    """One file of comments. Each call has a connection of its own, so threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as connection:
            connection.execute(_TABLE)

    def add(self, comment_id: str, content: str, facts: Mapping[str, Any]) -> Comment:
        """Keep a comment as held. The same id again changes nothing."""
        author = facts["author"]
        row = (comment_id, time.time(), author["name"], author["url"], content, json.dumps(facts))
        with self._connection() as connection:
            connection.execute(
                "insert or ignore into comments (id, sent, name, url, content, facts) "
                "values (?, ?, ?, ?, ?, ?)",
                row,
            )
        (added,) = self._select("where id = ?", comment_id)
        return added

    def find(self, comment_id: str) -> Comment | None:
        """The comment of this id."""
        return next(iter(self._select("where id = ?", comment_id)), None)

    def published(self) -> Sequence[Comment]:
        """What readers see, oldest first."""
        return self._select("where status = 'published' order by number")

    def unsent(self, limit: int) -> Sequence[Comment]:
        """Those that the service does not have yet, oldest first."""
        return self._select("where service_id is null order by number limit ?", limit)

    def to_ask_about(self, limit: int) -> Sequence[Comment]:
        """Those that a moderator may have decided about, least recently asked first."""
        return self._select("where service_id is not null order by asked, number limit ?", limit)

    def answered(self, comment_id: str, service_id: str, status: Status, html: str) -> None:
        """The service has it: this is its verdict, and what it was told is forgotten here."""
        with self._connection() as connection:
            connection.execute(
                "update comments set service_id = ?, status = ?, html = ?, facts = null "
                "where id = ? and service_id is null",
                (service_id, status, html, comment_id),
            )

    def asked(self, comment_id: str, status: Status) -> None:
        """The service was asked about it, and said this."""
        with self._connection() as connection:
            connection.execute(
                "update comments set status = ?, asked = ? where id = ?",
                (status, time.time(), comment_id),
            )

    def _select(self, which: str, *values: object) -> list[Comment]:
        with self._connection() as connection:
            return [_comment(row) for row in connection.execute(f"{_SELECT} {which}", values)]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10)) as connection, connection:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma secure_delete = on")  # what is forgotten is overwritten
            yield connection


_SELECT = (
    "select number, id, sent, name, url, content, status, html, service_id, facts from comments"
)


def _comment(row: sqlite3.Row) -> Comment:
    sent, facts = datetime.fromtimestamp(row["sent"], UTC), row["facts"]
    return Comment(**{**row, "sent": sent, "facts": json.loads(facts) if facts else None})
