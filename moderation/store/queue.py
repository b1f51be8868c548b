"""A page of the moderators' queue. The cursor names the last comment shown, not a number of
comments to skip, so nothing is shown twice or missed while others come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Literal, TypedDict, Unpack

import sqlalchemy as sa

from moderation.errors import BadCursor
from moderation.store.stored import QueuePage, Status, from_row
from moderation.store.tables import comments

Order = Literal["uncertain", "newest", "oldest"]


class Filters(TypedDict, total=False):
    """What a page of the queue can be asked for: of this status, held for this reason, with this
    text in the content or the author, in this language, by the author of that comment, like that
    comment. `uncertain` begins where the model is least sure. `gathered` shows one of each family
    of near-copies, the newest."""

    status: Status | None
    reason: str | None
    order: Order
    q: str
    language: str
    author: str
    like: str
    gathered: bool
    limit: int
    cursor: str | None


def queue_page(
    connection: sa.Connection, sites: Iterable[str], **filters: Unpack[Filters]
) -> QueuePage:
    """The comments of these sites after the cursor, and the cursor after them."""
    order, limit = filters.get("order", "newest"), filters.get("limit", 50)
    # each site's in the order of its index, which no database does for several at once
    of_sites = (row for site in sites for row in _first(connection, site, limit + 1, filters))
    rows = sorted(of_sites, key=_PLACES[order], reverse=order != "oldest")
    shown = rows[:limit]
    return QueuePage(
        comments=tuple(from_row(row) for row in shown),
        next=_cursor(order, shown[-1]["doubt"], shown[-1]["id"]) if len(rows) > limit else None,
    )


def _first(
    connection: sa.Connection, site: str, limit: int, filters: Filters
) -> Sequence[sa.RowMapping]:
    order = filters.get("order", "newest")
    query = sa.select(comments).where(*_wanted(comments, site, filters))
    if filters.get("gathered"):
        newer = comments.alias()
        same = newer.c.family == comments.c.family, newer.c.id > comments.c.id
        query = query.where(~sa.exists().where(*_wanted(newer, site, filters), *same))
    if (cursor := filters.get("cursor")) is not None:
        query = query.where(_after(order, cursor))
    return connection.execute(query.order_by(*_sorted(order)).limit(limit)).mappings().all()


def _wanted(table: sa.FromClause, site: str, filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    yield table.c.site == site
    for column in ("status", "language"):
        if value := filters.get(column):
            yield table.c[column] == value
    for column, name in (("author_hash", "author"), ("family", "like")):
        if comment_id := filters.get(name):
            of = comments.alias()
            that = sa.select(of.c[column]).where(of.c.site == site, of.c.id == comment_id)
            yield table.c[column] == that.scalar_subquery()
    if reason := filters.get("reason"):
        yield table.c.reasons.contains(f";{reason};", autoescape=True)
    if q := filters.get("q"):
        yield table.c.search.contains(q.casefold(), autoescape=True)


_PLACES: dict[Order, Callable[[sa.RowMapping], Any]] = {
    "uncertain": itemgetter("doubt", "id"),
    "newest": itemgetter("id"),
    "oldest": itemgetter("id"),
}


def _sorted(order: Order) -> tuple[sa.ColumnElement[Any], ...]:
    if order == "oldest":
        return (comments.c.id.asc(),)
    newest = comments.c.id.desc()
    return (comments.c.doubt.desc(), newest) if order == "uncertain" else (newest,)


def _after(order: Order, cursor: str) -> sa.ColumnElement[bool]:
    doubt, last = _read_cursor(order, cursor)
    if order == "oldest":
        return comments.c.id > last
    older = comments.c.id < last
    if order == "newest":
        return older
    return sa.or_(comments.c.doubt < doubt, sa.and_(comments.c.doubt == doubt, older))


def _cursor(order: Order, doubt: float, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, doubt, last]).encode()).decode()


def _read_cursor(order: Order, cursor: str) -> tuple[float, str]:
    try:
        found, doubt, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if found == order and isinstance(last, str):
            return float(doubt), last
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadCursor from error
    raise BadCursor
