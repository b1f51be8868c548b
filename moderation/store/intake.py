"""New comments on their way into the database: judged and kept in one transaction.

From the first look at earlier comments until all are kept, no other process takes comments of the
same site. So of one comment sent to two machines at once one is the first, and none slips past
the duplicate and flood checks beside another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from moderation.errors import Conflict
from moderation.settings import Policy
from moderation.store.database import Ask, Database, Opened, asking
from moderation.store.families import join
from moderation.store.history import Hashes, SiteHistory
from moderation.store.stored import Stored, from_row, to_row
from moderation.store.tables import as_json, comments, likenesses, storable
from moderation.verdict import Comment, Verdict

Judge = Callable[[Sequence[Comment], SiteHistory], Sequence[Verdict]]
Name = Callable[[Comment, Verdict], str]

# Made once: making a statement took longer than running it.
_INSERT_LIKENESSES = sa.insert(likenesses)
_NAMED = f"SELECT id FROM {comments.name} WHERE site = ? AND {{column}} IN ({{values}})"
_KNOWN = sa.select(comments).where(comments.c.id.in_(sa.bindparam("known", expanding=True)))


@dataclass(frozen=True, slots=True)
class Submission:
    """The comments of one request, and its Idempotency-Key."""

    comments: Sequence[Comment]
    idempotency_key: str = ""
    name: Name | None = None
    """Gives a judged comment its external_id, where its protocol knows none."""


_Placed = tuple[int, Submission]


@dataclass(slots=True)
class _Entry:
    """One comment, and what is kept of it; its submission is known by its place."""

    place: int
    comment: Comment
    key: str | None
    name: Name | None
    stored: Stored | Conflict | None = None
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def same(self) -> str:
        """What makes it the same as another one."""
        return str(self.row["external_id"] or self.row["id"])

    def settle(self, verdict: Verdict, policy: Policy, hashes: Hashes) -> None:
        """Make its row."""
        if self.name:
            self.comment = replace(self.comment, external_id=self.name(self.comment, verdict))
        self.row = to_row(policy, self.comment, verdict, self.key, hashes)


class Intake:
    """Takes comments into one database."""

    def __init__(self, database: Database, hashes: Hashes) -> None:
        self._database = database
        self._hashes = hashes

    def take(
        self, policy: Policy, submissions: Sequence[Submission], judge: Judge
    ) -> list[list[Stored] | Conflict]:
        """Have the new comments judged and keep them; of those that came before, what was kept
        then. Conflict where an Idempotency-Key is another comment's."""
        taken: dict[int, list[Stored] | Conflict] = {}
        rest = list(enumerate(submissions))
        while rest:
            apart, rest = _apart(rest)
            entries = [entry for at, submission in apart for entry in _entries(at, submission)]
            self._take(policy, entries, judge)
            taken |= {place: _outcome(place, entries) for place, _ in apart}
        return [taken[place] for place in range(len(submissions))]

    def _take(self, policy: Policy, entries: Sequence[_Entry], judge: Judge) -> None:
        site = policy.site
        self._recall(self._database.reading, site, entries)
        if not (new := _unsettled(entries)):
            return
        with self._database.writing_later(site) as opened:
            history = SiteHistory(asking(opened), self._hashes, site)
            verdicts = judge([entry.comment for entry in new], history)
            for entry, verdict in zip(new, verdicts, strict=True):
                entry.settle(verdict, policy, self._hashes)
            self._recall(opened, site, new)  # another machine may have been quicker
            self._insert(opened, _unsettled(new))

    def _recall(self, opened: Opened, site: str, entries: Sequence[_Entry]) -> None:
        """Settle those that are known."""
        if not (known := _known(asking(opened), site, entries)):
            return
        with opened() as connection:
            rows = connection.execute(_KNOWN, {"known": known}).mappings().all()
        by_key = {row["idempotency_key"]: row for row in rows if row["idempotency_key"]}
        by_id = {row["external_id"]: row for row in rows if row["external_id"]}
        for entry in entries:
            row = by_key.get(entry.key)
            if row and row["request_hash"] != self._hashes.request(entry.comment):
                entry.stored = Conflict()
            elif row := row or by_id.get(storable(entry.comment.external_id)):
                entry.stored = from_row(row)

    def _insert(self, opened: Opened, new: Sequence[_Entry]) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for entry in new:
            rows.setdefault(entry.same, entry.row)
        if rows:
            with opened() as connection:
                likes = join(connection, [r for r in rows.values() if r["status"] == "held"])
                _insert(connection, [*rows.values()])
                if likes:
                    connection.execute(_INSERT_LIKENESSES, likes)
        for entry in new:
            entry.stored = from_row(rows[entry.same])


def _known(ask: Ask, site: str, entries: Sequence[_Entry]) -> list[str]:
    """The ids of comments that came under the names of these. Each kind of name is asked for by
    itself: of both in one question, SQLite goes through all comments of the site."""
    named = {
        comments.c.idempotency_key.name: {entry.key for entry in entries},
        comments.c.external_id.name: {storable(entry.comment.external_id) for entry in entries},
    }
    known: list[str] = []
    for column, names in named.items():
        if given := [*filter(None, names)]:
            query = _NAMED.format(column=column, values=", ".join("?" * len(given)))
            known += [row[0] for row in ask(query, (site, *given))]
    return known


def _insert(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """By the driver, with values as it takes them: SQLAlchemy takes longer for a row than it."""
    statement, places = _statement(connection.dialect)
    values = [
        {**row, "facts": as_json(row["facts"]), "verdict": as_json(row["verdict"])} for row in rows
    ]
    connection.exec_driver_sql(
        statement, [tuple(map(row.__getitem__, places)) for row in values] if places else values
    )


@cache
def _statement(dialect: sa.Dialect) -> tuple[str, Sequence[str] | None]:
    """How to insert a comment, and where values go by their place, the order of columns."""
    compiled = sa.insert(comments).compile(dialect=dialect)
    return str(compiled), compiled.positiontup


def _apart(submissions: Sequence[_Placed]) -> tuple[list[_Placed], list[_Placed]]:
    """Those that name no comment as one before them does, and the others: they wait for it."""
    apart: list[_Placed] = []
    others: list[_Placed] = []
    named: set[tuple[str, str]] = set()
    for place, submission in submissions:
        ids = {("id", c.external_id) for c in submission.comments if c.external_id}
        key = submission.idempotency_key
        names = ids | {("key", key)} if key else ids
        (apart if named.isdisjoint(names) else others).append((place, submission))
        named |= names
    return apart, others


def _entries(place: int, submission: Submission) -> list[_Entry]:
    """One key for each comment of a submission: KEY, KEY#1, KEY#2 and so on."""
    key = storable(submission.idempotency_key) or None
    return [
        _Entry(place, comment, f"{key}#{number}" if key and number else key, submission.name)
        for number, comment in enumerate(submission.comments)
    ]


def _unsettled(entries: Sequence[_Entry]) -> list[_Entry]:
    """The new ones; none of a submission with a conflict."""
    refused = {entry.place for entry in entries if isinstance(entry.stored, Conflict)}
    return [entry for entry in entries if entry.stored is None and entry.place not in refused]


def _outcome(place: int, entries: Sequence[_Entry]) -> list[Stored] | Conflict:
    own = [entry.stored for entry in entries if entry.place == place]
    conflict = next((stored for stored in own if isinstance(stored, Conflict)), None)
    return conflict or [stored for stored in own if isinstance(stored, Stored)]
