"""How many calls a minute somebody may make, counted in the database for all replicas together.

A process takes calls from a minute's allowance some at a time, a twentieth of it or one, and asks
the database again when it has used them up. So together they never admit more than the limit, and
the database is written to some twenty times a minute; of a limit below forty, for every call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from moderation.store.database import Database
from moderation.store.tables import rates as table

_MINUTE = 60
_SHARE = 20
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Purse:
    """What this process has left of somebody's minute; `spent`: there is no more to be had."""

    minute: int
    left: int = 0
    spent: bool = False


class Rates:
    """The allowances of one database. Thread-safe."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._purses: dict[str, _Purse] = {}

    def wait(self, who: str, limit: int) -> int:
        """0, and one call is counted; where it would be one too many, the seconds to wait."""
        now = self._clock()
        minute = int(now // _MINUTE)
        with self._lock:
            purse = self._purses.get(who)
            if purse is None or purse.minute != minute:
                if len(self._purses) >= _REMEMBERED:
                    self._purses = {w: p for w, p in self._purses.items() if p.minute == minute}
                purse = self._purses[who] = _Purse(minute)
            if not purse.left and not purse.spent:
                purse.left = self._taken(who, minute, limit)
                purse.spent = not purse.left
            if purse.left:
                purse.left -= 1
                return 0
        return max(1, round(_MINUTE - now % _MINUTE))

    def _taken(self, who: str, minute: int, limit: int) -> int:
        """So many calls of the allowance are this process' own now."""
        share = max(1, limit // _SHARE)
        with self._database.writing() as connection:
            connection.execute(sa.delete(table).where(table.c.minute < minute - 1))
            insert = (
                postgresql.insert(table)
                if connection.dialect.name == "postgresql"
                else sqlite.insert(table)
            )
            total = connection.scalar(
                insert.values(who=who, minute=minute, calls=share)
                .on_conflict_do_update(
                    index_elements=[table.c.who, table.c.minute],
                    set_={"calls": table.c.calls + share},
                )
                .returning(table.c.calls)
            )
        return max(0, min(share, limit - (int(total or 0) - share)))
