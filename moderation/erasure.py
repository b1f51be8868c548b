"""Forgetting comments: their text, author, verdict, reviews, labels, and what was to be sent."""

from __future__ import annotations

import sqlalchemy as sa

from moderation.database import Database
from moderation.outbox import announce, forget
from moderation.tables import comments, reviews

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
            for row in rows if announced else ():
                announce(connection, row, "erased")
        total, more = total + len(ids), len(ids) == _AT_ONCE
    if total:
        database.scrub()
    return total
