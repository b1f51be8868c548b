"""Forgetting comments: their text, author, verdict, reviews, labels, and what was to be sent.

Models that learned from them stay as they are, and are marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from moderation.database import Database
from moderation.history import Hashes
from moderation.lineage import mark
from moderation.outbox import announce, forget
from moderation.stored import from_row
from moderation.tables import comments, reviews, storable
from moderation.verdict import Author

_AT_ONCE = 500


def erase(database: Database, *which: sa.ColumnElement[bool], announced: bool = False) -> int:
    """Erase these comments and say how many they were. `announced`: their site hears of it."""
    some = sa.select(comments).where(*which).limit(_AT_ONCE).with_for_update()
    total, more = 0, True
    while more:
        with database.writing() as connection:
            rows = connection.execute(some).mappings().all()
            ids = [row["id"] for row in rows]
            connection.execute(sa.delete(reviews).where(reviews.c.comment_id.in_(ids)))
            connection.execute(sa.delete(comments).where(comments.c.id.in_(ids)))
            forget(connection, ids)
            mark(connection, ids)
            for row in rows if announced else ():
                announce(connection, row, "erased")
        total, more = total + len(ids), len(ids) == _AT_ONCE
    if total:
        database.scrub()
    return total


def erase_author(
    database: Database, hashes: Hashes, site: str, author: Author, *, announced: bool
) -> int:
    """Erase the site's comments by the author with this id, e-mail, name or address, whichever
    one is given. An address is known only of those of whom neither id nor e-mail is."""
    ids = list(_comments_of(database, hashes, site, author))
    return sum(
        erase(database, comments.c.id.in_(ids[start : start + _AT_ONCE]), announced=announced)
        for start in range(0, len(ids), _AT_ONCE)
    )


def _comments_of(database: Database, hashes: Hashes, site: str, author: Author) -> Iterator[str]:
    if author.ip:
        likely = comments.c.author_hash == hashes.author(author)
    elif author.id:
        fragment = f'"id":{json.dumps(storable(author.id), ensure_ascii=False)}'
        likely = comments.c.facts.contains(fragment, autoescape=True)
    else:
        likely = comments.c.search.contains(_folded(author.email or author.name), autoescape=True)
    query, last = sa.select(comments).where(comments.c.site == site, likely), ""
    while True:
        piece = query.where(comments.c.id > last).order_by(comments.c.id).limit(_AT_ONCE)
        with database.reading() as connection:
            rows = connection.execute(piece).mappings().all()
        yield from (row["id"] for row in rows if _is_of(row, author))
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1]["id"]


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
