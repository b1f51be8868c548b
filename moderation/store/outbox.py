"""Messages to the sites' own systems, waiting in the database until they are delivered.

A message is written in the transaction of what it tells: neither can be there without the other.
Only the newest word on a comment is sent. Of each site one message is on its way at a time, so that
they arrive in order; who sends it holds a lease on it, and when that has run out another may.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from moderation.store.database import Database
from moderation.store.stored import moment, new_id
from moderation.store.tables import outbox

_LOCK = 7_060_522  # any number of our own
_LEASE = 120.0  # seconds; far more than a delivery may take
_DAY = 86400.0
_DELAYS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)  # before the next try
_REST = 30.0  # what a site's other messages wait at least when one failed
_SHOWN = 200

_newer = outbox.alias("newer")
_away = outbox.alias("away")
_DUE = (
    sa.select(outbox)
    .where(
        outbox.c.due <= sa.bindparam("now"),
        outbox.c.leased <= sa.bindparam("now"),
        outbox.c.site.not_in(sa.select(_away.c.site).where(_away.c.leased > sa.bindparam("now"))),
    )
    .order_by(outbox.c.due, outbox.c.id)
    .limit(1)
)
_SUPERSEDED = sa.exists().where(
    _newer.c.comment_id == outbox.c.comment_id, _newer.c.id > outbox.c.id
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `due` is None for a dead letter, which is sent again only by hand."""

    id: int
    message_id: str
    site: str
    comment_id: str
    body: str
    attempts: int
    since: datetime
    due: datetime | None
    problem: str


def announce(
    connection: sa.Connection, row: sa.RowMapping, status: str, label: str | None = None
) -> None:
    """Write that this comment, of which `row` is how it was, is now `published`, `rejected`,
    `held` or `erased`."""
    now = time.time()
    body = {
        "type": f"comment.{status}",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
        "data": {
            "id": row["id"],
            "external_id": row["external_id"] or "",
            "site": row["site"],
            "status": status,
            "previous_status": row["status"],
            "label": label,
        },
    }
    message = {
        "message_id": f"msg_{new_id()}",
        "site": row["site"],
        "comment_id": row["id"],
        "body": json.dumps(body, ensure_ascii=False),
        "since": now,
        "due": now,
        "leased": 0.0,
        "attempts": 0,
        "problem": "",
    }
    earlier = sa.delete(outbox).where(outbox.c.comment_id == row["id"], outbox.c.leased <= now)
    connection.execute(earlier)
    connection.execute(sa.insert(outbox), message)


def forget(connection: sa.Connection, comment_ids: Sequence[str]) -> None:
    """Drop what was to be said of these comments, but for what is on its way: until that has
    ended, no later word of a comment may overtake it."""
    of_them, waits = outbox.c.comment_id.in_(comment_ids), outbox.c.leased <= time.time()
    connection.execute(sa.delete(outbox).where(of_them, waits))


class Outbox:
    """The messages of one database, for those who deliver and show them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self) -> Message | None:
        """A message that is due, held for this caller; None where there is none."""
        now = {"now": time.time()}
        with self._database.reading() as connection:
            if connection.execute(_DUE, now).first() is None:
                return None
        with self._database.writing() as connection:
            _one_at_a_time(connection)
            row = connection.execute(_DUE, now).mappings().first()
            if row is None:
                return None  # another worker was quicker
            lease = {"leased": now["now"] + _LEASE, "attempts": row["attempts"] + 1}
            connection.execute(sa.update(outbox).where(outbox.c.id == row["id"]).values(lease))
        return _message({**row, **lease})

    def delivered(self, message: Message) -> None:
        """It arrived, or there is nobody to send it to: forget it."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(outbox).where(outbox.c.id == message.id))

    def failed(self, message: Message, problem: str, *, for_good: bool = False) -> None:
        """Try again later, until a day has passed; then it is a dead letter."""
        now = time.time()
        delay = _DELAYS[min(message.attempts, len(_DELAYS)) - 1] * random.uniform(0.9, 1.1)
        last = message.since.timestamp() + _DAY
        due = None if for_good or now >= last else min(now + delay, last)
        change = {"leased": 0.0, "due": due, "problem": problem[:_SHOWN]}
        others = (outbox.c.site == message.site, outbox.c.due < now + _REST)
        own = outbox.c.id == message.id
        with self._database.writing() as connection:
            _one_at_a_time(connection)
            connection.execute(sa.update(outbox).where(*others).values(due=now + _REST))
            connection.execute(sa.update(outbox).where(own).values(change))
            connection.execute(sa.delete(outbox).where(own, _SUPERSEDED))

    def listed(self, site: str, *, dead: bool, limit: int = 100) -> list[Message]:
        """A site's dead letters, or those that wait; the newest first."""
        state = outbox.c.due.is_(None) if dead else outbox.c.due.is_not(None)
        query = sa.select(outbox).where(outbox.c.site == site, state)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(outbox.c.id.desc()).limit(limit)).mappings()
            return [_message(row) for row in rows]

    def counts(self, site: str) -> tuple[int, int]:
        """How many wait, and how many are dead letters."""
        query = sa.select(sa.func.count(outbox.c.due), sa.func.count())
        with self._database.reading() as connection:
            waiting, total = connection.execute(query.where(outbox.c.site == site)).one()
        return waiting, total - waiting

    def retry(self, site: str, message_id: str | None = None) -> int:
        """Send a dead letter of this site again, or all of them; how many there were."""
        which = [outbox.c.site == site, outbox.c.due.is_(None)]
        if message_id is not None:
            which.append(outbox.c.message_id == message_id)
        now = time.time()
        change = sa.update(outbox).where(*which).values(due=now, since=now, attempts=0)
        with self._database.writing() as connection:
            return connection.execute(change).rowcount


def _one_at_a_time(connection: sa.Connection) -> None:
    """On SQLite whoever writes is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _message(row: sa.RowMapping | Mapping[str, Any]) -> Message:
    facts = {name: row[name] for name in Message.__slots__}
    due = None if row["due"] is None else moment(row["due"])
    return Message(**{**facts, "since": moment(row["since"]), "due": due})
