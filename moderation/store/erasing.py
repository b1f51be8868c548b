"""Forgetting comments: their text, author, verdict, reviews, labels, and what was to be sent.

Models that learned from them stay as they are, and are marked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from moderation.store.database import Database
from moderation.store.history import Hashes
from moderation.store.lineage import mark
from moderation.store.outbox import announce, forget
from moderation.store.stored import from_row
from moderation.store.tables import comments, likenesses, reviews, storable
from moderation.verdict import Author

_AT_ONCE = 500
_DAY = 86400.0


class Erasing:
    """The comments of one database, to forget."""

    def __init__(
        self, database: Database, hashes: Hashes, announces: Callable[[str], bool]
    ) -> None:
        self._database = database
        self._hashes = hashes
        self._announces = announces

    def comments(self, site: str, which: sa.ColumnElement[bool], *, announced: bool = False) -> int:
        """Erase these comments of a site for good, and say how many there were. `announced`: the
        site hears of it, if it wants to."""
        announced = announced and self._announces(site)
        some = sa.select(comments).where(comments.c.site == site, which).limit(_AT_ONCE)
        total, more = 0, True
        while more:
            with self._database.writing() as connection:
                rows = connection.execute(some.with_for_update()).mappings().all()
                _forget(connection, [row["id"] for row in rows])
                for row in rows if announced else ():
                    announce(connection, row, "erased")
            total, more = total + len(rows), len(rows) == _AT_ONCE
        if total:
            self._database.scrub()
        return total

    def author(self, site: str, author: Author) -> int:
        """Erase all by the author with this id, e-mail, name or address, whichever one is given.
        An address is known only of those of whom neither id nor e-mail is."""
        ids = list(self._by(site, author))
        pieces = (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
        return sum(self.comments(site, comments.c.id.in_(p), announced=True) for p in pieces)

    def old(self, site: str, days: int) -> int:
        """Erase what came more than so many days ago; 0 days keeps all."""
        if not days:
            return 0
        return self.comments(site, comments.c.received < time.time() - days * _DAY)

    def _by(self, site: str, author: Author) -> Iterator[str]:
        if author.ip:
            likely = comments.c.author_hash == self._hashes.author(author)
        elif author.id:
            fragment = f'"id":{json.dumps(storable(author.id), ensure_ascii=False)}'
            facts = sa.type_coerce(comments.c.facts, sa.Text)
            likely = facts.contains(fragment, autoescape=True)
        else:
            told = _folded(author.email or author.name)
            likely = comments.c.search.contains(told, autoescape=True)
        query, last = sa.select(comments).where(comments.c.site == site, likely), ""
        while True:
            piece = query.where(comments.c.id > last).order_by(comments.c.id).limit(_AT_ONCE)
            with self._database.reading() as connection:
                rows = connection.execute(piece).mappings().all()
            yield from (row["id"] for row in rows if _is_of(row, author))
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1]["id"]


def _forget(connection: sa.Connection, ids: Sequence[str]) -> None:
    for table in (reviews, likenesses):
        connection.execute(sa.delete(table).where(table.c.comment_id.in_(ids)))
    connection.execute(sa.delete(comments).where(comments.c.id.in_(ids)))
    forget(connection, ids)
    mark(connection, ids)


def _is_of(row: sa.RowMapping, author: Author) -> bool:
    theirs = from_row(row).comment.author
    if author.ip:
        return True
    if author.id:
        return bool(theirs.id == storable(author.id))
    if author.email:
        return _folded(theirs.email) == _folded(author.email)
    return _folded(theirs.name) == _folded(author.name)


def _folded(text: str) -> str:
    return str(storable(text)).strip().casefold()
