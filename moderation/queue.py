"""A page of the moderators' queue. The cursor names the last comment shown, not a number of
comments to skip, so nothing is shown twice or missed while others come and go."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Literal, TypedDict, Unpack

import sqlalchemy as sa

from moderation.errors import BadCursor
from moderation.stored import QueuePage, Status, from_row
from moderation.tables import comments

Order = Literal["uncertain", "newest", "oldest"]


class Filters(TypedDict, total=False):
    """What a page of the queue can be asked for: of this status, held for this reason, with this
    text in the content or the author. `uncertain` begins where the model is least sure."""

    status: Status | None
    reason: str | None
    order: Order
    q: str
    limit: int
    cursor: str | None


def queue_page(connection: sa.Connection, site: str, **filters: Unpack[Filters]) -> QueuePage:
    """The comments after the cursor, and the cursor after them."""
    order, limit = filters.get("order", "newest"), filters.get("limit", 50)
    query = sa.select(comments).where(comments.c.site == site)
    if status := filters.get("status"):
        query = query.where(comments.c.status == status)
    if reason := filters.get("reason"):
        query = query.where(comments.c.reasons.contains(f";{reason};", autoescape=True))
    if q := filters.get("q"):
        query = query.where(comments.c.search.contains(q.casefold(), autoescape=True))
    if (cursor := filters.get("cursor")) is not None:
        query = query.where(_after(order, cursor))
    rows = connection.execute(query.order_by(*_sorted(order)).limit(limit + 1)).mappings().all()
    shown = rows[:limit]
    more = len(rows) > limit
    return QueuePage(
        comments=tuple(from_row(row) for row in shown),
        next=_cursor(order, shown[-1]["doubt"], shown[-1]["id"]) if more else None,
    )


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
    except (binascii.Error, UnicodeError, ValueError, TypeError) as error:
        raise BadCursor from error
    raise BadCursor
