"""Forgetting comments: with each go its author, its reviews, its label and its likenesses."""

from __future__ import annotations

import sqlalchemy as sa

from moderation.database import Database
from moderation.tables import comments, likenesses, reviews

_AT_ONCE = 500


def erase(database: Database, *which: sa.ColumnElement[bool]) -> int:
    """Erase these comments for good, and say how many there were."""
    some = sa.select(comments.c.id).where(*which).limit(_AT_ONCE).with_for_update()
    total, more = 0, True
    while more:
        with database.writing() as connection:
            ids = connection.scalars(some).all()
            for table in (reviews, likenesses):
                connection.execute(sa.delete(table).where(table.c.comment_id.in_(ids)))
            connection.execute(sa.delete(comments).where(comments.c.id.in_(ids)))
        total, more = total + len(ids), len(ids) == _AT_ONCE
    if total:
        database.scrub()
    return total
