"""Which comments' labels a model was trained on, and how many of those were erased since.

A model that was taught on top of another has that one's comments in it too. Of models trained on
files (`moderation train`) nothing is known here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from moderation.store.database import Database
from moderation.store.tables import comments, model_labels, trained_models

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Lineage:
    """A model's comments: how many it learned from, and how many of them were erased since."""

    version: str
    labels: int
    erased: int


def record(
    database: Database, version: str, parent: str | None, comment_ids: Sequence[str]
) -> None:
    """Keep what a model learned from, itself and by way of the model it was taught on top of."""
    known = sa.select(trained_models).where(trained_models.c.version == version)
    before = sa.select(trained_models.c.erased).where(trained_models.c.version == parent)
    with database.writing() as connection:
        if connection.execute(known).first():
            return  # the same rows on the same day give the same model
        left = list(_still_there(connection, comment_ids))
        erased = len(comment_ids) - len(left) + (connection.scalar(before) or 0)
        if left:
            rows = [{"version": version, "comment_id": one} for one in left]
            connection.execute(sa.insert(model_labels), rows)
        connection.execute(_inherited(version, parent))
        model = {"version": version, "created": time.time(), "erased": erased}
        connection.execute(sa.insert(trained_models), model)


def mark(connection: sa.Connection, comment_ids: Sequence[str]) -> None:
    """These comments are being erased: the models that learned from them are to say so."""
    theirs = model_labels.c.comment_id.in_(comment_ids)
    counted = sa.select(model_labels.c.version, sa.func.count()).where(theirs)
    for version, count in connection.execute(counted.group_by(model_labels.c.version)).all():
        change = sa.update(trained_models).where(trained_models.c.version == version)
        connection.execute(change.values(erased=trained_models.c.erased + count))
    connection.execute(sa.delete(model_labels).where(theirs))


def lineages(database: Database) -> dict[str, Lineage]:
    """By version."""
    count = (
        sa.select(sa.func.count())
        .where(model_labels.c.version == trained_models.c.version)
        .scalar_subquery()
    )
    query = sa.select(trained_models.c.version, count, trained_models.c.erased)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return {v: Lineage(v, left + erased, erased) for v, left, erased in rows}


def _still_there(connection: sa.Connection, comment_ids: Sequence[str]) -> Iterator[str]:
    """Those that were not erased while the model was trained; nobody erases one before we end."""
    for start in range(0, len(comment_ids), _AT_ONCE):
        some = comments.c.id.in_(comment_ids[start : start + _AT_ONCE])
        yield from connection.scalars(
            sa.select(comments.c.id).where(some).with_for_update(read=True)
        )


def _inherited(version: str, parent: str | None) -> sa.Insert:
    own = model_labels.alias("own")
    twice = sa.exists().where(
        own.c.version == version, own.c.comment_id == model_labels.c.comment_id
    )
    theirs = sa.select(sa.literal(version), model_labels.c.comment_id)
    return sa.insert(model_labels).from_select(
        ["version", "comment_id"], theirs.where(model_labels.c.version == parent, ~twice)
    )
