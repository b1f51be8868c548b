"""The record of retrains: one at a time over all workers, and what became of each.

The process that trains gives a sign of life every few seconds. One that gives none any more was
killed, or the machine was: then it has failed, whoever asks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from moderation.errors import AlreadyTraining
from moderation.store import lineage
from moderation.store.database import Database
from moderation.store.labels import labelled
from moderation.store.lineage import Lineage
from moderation.store.stored import Stored, moment, new_id
from moderation.store.tables import comments, retrains

SIGN_OF_LIFE = 2.0
"""Seconds between two."""

_LOCK = 7_060_524  # any number of our own
_DEAD = 60.0  # seconds without a sign
_KILLED = "It was stopped before its end: its process gives no sign of life any more."

State = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Retrain:
    """One retrain. `version` is the model it made, `losses` where that is worse than the active
    one was."""

    id: str
    state: State
    started: datetime
    finished: datetime | None
    by: str
    labels: int
    step: str
    version: str | None
    report: str
    losses: tuple[str, ...]
    problem: str


class Retrains:
    """The retrains of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, by: str) -> str:
        """Its id. AlreadyTraining while another one runs."""
        now = time.time()
        running = sa.select(retrains.c.id).where(
            retrains.c.finished.is_(None), retrains.c.alive > now - _DEAD
        )
        row = {
            "id": new_id(),
            "started": now,
            "alive": now,
            "by": by,
            "labels": 0,
            "step": "Starting",
            "report": "",
            "losses": [],
            "problem": "",
        }
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if connection.execute(running).first():
                raise AlreadyTraining
            connection.execute(sa.insert(retrains), row)
        return str(row["id"])

    def alive(self, retrain_id: str, step: str) -> None:
        """A sign of life, and what it is at."""
        self._change(retrain_id, alive=time.time(), step=step)

    def done(
        self,
        retrain_id: str,
        version: str,
        parent: str | None,
        report: str,
        losses: Sequence[str],
        comment_ids: Sequence[str],
    ) -> None:
        """It made this model, on top of `parent`, of these comments' labels."""
        lineage.record(self._database, version, parent, comment_ids)
        self._change(
            retrain_id,
            finished=time.time(),
            version=version,
            report=report,
            losses=list(losses),
            labels=len(comment_ids),
        )

    def failed(self, retrain_id: str, problem: str, report: str = "") -> None:
        """It ended without a model."""
        self._change(retrain_id, finished=time.time(), problem=problem, report=report)

    def newest(self, limit: int = 10) -> list[Retrain]:
        """The last ones, newest first."""
        query = sa.select(retrains).order_by(retrains.c.started.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_retrain(row) for row in connection.execute(query).mappings()]

    def labelled(self) -> list[Stored]:
        """The comments to learn from, of all sites: a model judges for all of them."""
        return list(labelled(self._database, None))

    def label_count(self) -> int:
        """How many those are."""
        query = sa.select(sa.func.count()).where(comments.c.label.is_not(None))
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def lineages(self) -> dict[str, Lineage]:
        """What the models learned from, by version."""
        return lineage.lineages(self._database)

    def _change(self, retrain_id: str, **values: object) -> None:
        # what has ended stays as it is
        mine = (retrains.c.id == retrain_id, retrains.c.finished.is_(None))
        with self._database.writing() as connection:
            connection.execute(sa.update(retrains).where(*mine).values(**values))


def _retrain(row: sa.RowMapping) -> Retrain:
    over, dead = row["finished"] is not None, row["alive"] <= time.time() - _DEAD
    problem = row["problem"] or ("" if over or not dead else _KILLED)
    return Retrain(
        id=row["id"],
        state="failed" if problem else "done" if over else "running",
        started=moment(row["started"]),
        finished=moment(row["finished"]) if over else None,
        by=row["by"],
        labels=row["labels"],
        step=row["step"],
        version=row["version"],
        report=row["report"],
        losses=tuple(row["losses"]),
        problem=problem,
    )
