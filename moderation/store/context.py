"""What a moderator wants to know beside a comment: what was decided on it, what else its author
sent, and what is nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moderation.store.reviewing import not_taken_back
from moderation.store.stored import Review, Status, Stored, review_of
from moderation.store.tables import comments, reviews

_COPIES_SHOWN = 5
_LANGUAGES = 50


@dataclass(frozen=True, slots=True)
class Copies:
    """Near-copies of a comment that have the same status, itself included."""

    count: int
    newest: str
    """The greatest id among them."""
    some: tuple[tuple[str, str], ...]
    """Name of the author and content of the newest others."""


@dataclass(frozen=True, slots=True)
class Around:
    """All that for one comment."""

    reviews: tuple[Review, ...]
    """Oldest first."""
    by_author: dict[Status, int]
    """How many comments of its author have which status; empty where nobody can tell."""
    copies: Copies | None
    """None where it is the only one."""

    @property
    def last(self) -> int:
        """The id of the last review, 0 where there is none."""
        return self.reviews[-1].id if self.reviews else 0

    @property
    def decided(self) -> bool:
        """Whether there is a review that was not taken back."""
        return bool(not_taken_back(self.reviews))


def around(
    connection: sa.Connection, site: str, shown: Sequence[Stored], nobody: str
) -> dict[str, Around]:
    """What is around each of these comments of a site. `nobody` is the hash of an author of whom
    nothing is known."""
    ids = [stored.id for stored in shown]
    history = _reviews(connection, ids)
    authors = _authors(connection, site, ids, nobody)
    copies = _copies(connection, site, ids)
    return {
        one: Around(tuple(history.get(one, ())), authors.get(one, {}), copies.get(one))
        for one in ids
    }


def held_languages(connection: sa.Connection, site: str) -> list[str]:
    """The languages of what is held, in the order of their codes."""
    query = sa.select(comments.c.language).where(comments.c.site == site)
    held = query.where(comments.c.status == "held").distinct()
    return list(connection.scalars(held.order_by(comments.c.language).limit(_LANGUAGES)))


def _reviews(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[Review]]:
    query = sa.select(reviews).where(reviews.c.comment_id.in_(ids)).order_by(reviews.c.id)
    found: dict[str, list[Review]] = {}
    for row in connection.execute(query):
        found.setdefault(row.comment_id, []).append(review_of(row))
    return found


def _authors(
    connection: sa.Connection, site: str, ids: Sequence[str], nobody: str
) -> dict[str, dict[Status, int]]:
    own, other = comments, comments.alias()
    query = (
        sa.select(own.c.id, other.c.status, sa.func.count())
        .select_from(own.join(other, other.c.author_hash == own.c.author_hash))
        .where(own.c.id.in_(ids), own.c.author_hash != nobody)
        .where(own.c.site == site, other.c.site == site)
        .group_by(own.c.id, other.c.status)
    )
    found: dict[str, dict[Status, int]] = {}
    for comment_id, status, count in connection.execute(query):
        found.setdefault(comment_id, {})[status] = count
    return found


def _copies(connection: sa.Connection, site: str, ids: Sequence[str]) -> dict[str, Copies]:
    own, other = comments, comments.alias()
    of_family = (other.c.family == own.c.family) & (other.c.status == own.c.status)
    joined = own.join(other, of_family & (other.c.site == own.c.site))
    mine = sa.and_(own.c.site == site, own.c.id.in_(ids))
    counted = (
        sa.select(own.c.id, sa.func.count(), sa.func.max(other.c.id))
        .select_from(joined)
        .where(mine)
        .group_by(own.c.id)
        .having(sa.func.count() > 1)
    )
    numbers = {row[0]: (row[1], row[2]) for row in connection.execute(counted)}
    if not numbers:
        return {}
    place = sa.func.row_number().over(partition_by=own.c.id, order_by=other.c.id.desc())
    ranked = (
        sa.select(own.c.id, other.c.id.label("other"), place.label("place"))
        .select_from(joined)
        .where(mine, own.c.id.in_([*numbers]), other.c.id != own.c.id)
        .subquery()
    )
    newest = (
        sa.select(ranked.c.id, comments.c.content, comments.c.facts)
        .select_from(ranked.join(comments, comments.c.id == ranked.c.other))
        .where(ranked.c.place <= _COPIES_SHOWN)
        .order_by(ranked.c.id, ranked.c.place)
    )
    some: dict[str, list[Any]] = {}
    for row in connection.execute(newest):
        some.setdefault(row.id, []).append((row.facts["author"]["name"], row.content))
    return {one: Copies(*numbers[one], tuple(some.get(one, ()))) for one in numbers}
