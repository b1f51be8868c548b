"""What moderators decide. Nothing is overwritten: a comment's reviews are its history, and where
it stands follows from them. All that one click decides is one *act*, and can be undone as one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from moderation.store.outbox import announce
from moderation.store.stored import Label, Review, ReviewDecision, Status
from moderation.store.tables import comments, reviews

Said = TypeVar("Said", Review, sa.Row[Any])

_OF_A_COMMENT = (
    comments.c.id,
    comments.c.site,
    comments.c.external_id,
    comments.c.verdict,
    comments.c.status,
)


@dataclass(frozen=True, slots=True)
class Word:
    """What a moderator says. `undo` takes back the last word that stands."""

    decision: ReviewDecision
    label: Label | None = None
    note: str = ""
    by: str = ""
    """The id of the moderator's key."""


@dataclass(frozen=True, slots=True)
class Act:
    """What one click did. `late` are the comments that somebody else had decided on meanwhile:
    of those nothing was changed."""

    id: str
    done: tuple[str, ...]
    late: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acted:
    """One comment of an act. `stands` while nobody decided on it again."""

    comment_id: str
    site: str
    content: str
    status: Status
    review: int
    decision: ReviewDecision
    label: Label | None
    stands: bool


def act(
    connection: sa.Connection,
    site: str,
    seen: Mapping[str, int | None],
    word: Word,
    *,
    announced: bool = False,
) -> Act:
    """Say this of all these comments, each with the id of the last review that the moderator saw
    of it: 0 for none, None for whatever there is. Comments that are gone are left out.
    `announced`: the site hears of those whose fate it changes."""
    # Locked in one order, so that two who decide on the same comments wait, and do not deadlock.
    found = sa.select(*_OF_A_COMMENT).where(comments.c.site == site, comments.c.id.in_([*seen]))
    rows = connection.execute(found.order_by(comments.c.id).with_for_update()).all()
    history = _history(connection, [row.id for row in rows])
    name, done, late = secrets.token_hex(8), list[str](), list[str]()
    for row in rows:
        before = history.get(row.id, [])
        last = before[-1].id if before else 0
        standing = not_taken_back(before)
        if seen[row.id] not in (None, last) or (word.decision == "undo" and not standing):
            late.append(row.id)
            continue
        status, label = _keep(connection, row, standing, word, name)
        if announced and status != row.status:
            announce(connection, row._mapping, status, label)
        done.append(row.id)
    return Act(name, tuple(done), tuple(late))


def acted(connection: sa.Connection, sites: Sequence[str], name: str) -> list[Acted]:
    """What the act of this id did on these sites, comment by comment."""
    later = reviews.alias()
    again = sa.exists(
        sa.select(later.c.id).where(
            later.c.comment_id == reviews.c.comment_id, later.c.id > reviews.c.id
        )
    )
    query = (
        sa.select(
            comments.c.id.label("comment_id"),
            comments.c.site,
            comments.c.content,
            comments.c.status,
            reviews.c.id.label("review"),
            reviews.c.decision,
            reviews.c.label,
            (~again).label("stands"),
        )
        .join(comments, comments.c.id == reviews.c.comment_id)
        .where(comments.c.site.in_(sites), reviews.c.act == name)
        .order_by(comments.c.id)
    )
    return [Acted(**row) for row in connection.execute(query).mappings()]


def _keep(
    connection: sa.Connection, row: Any, standing: list[sa.Row[Any]], word: Word, name: str
) -> tuple[Status, Label | None]:
    """Where the comment stands now, and its label."""
    if word.decision == "undo":
        before = standing[-2] if len(standing) > 1 else None
        decision, label = (before.decision, before.label) if before else (None, None)
    else:
        decision, label = word.decision, word.label
    status = _status(decision, row.verdict)
    change = sa.update(comments).where(comments.c.id == row.id)
    connection.execute(change.values(status=status, label=label))
    review = {
        "comment_id": row.id,
        "decision": word.decision,
        "label": word.label,
        "note": word.note,
        "reviewer": word.by,
        "at": time.time(),
        "model": row.verdict["model"],
        "act": name,
    }
    connection.execute(sa.insert(reviews), review)
    return status, label


def _status(decision: str | None, verdict: Mapping[str, Any]) -> Status:
    """Where a comment stands: as the last word says, else as it was judged."""
    published = decision == "publish" or (decision is None and verdict["decision"] == "publish")
    return "published" if published else "held" if decision is None else "rejected"


def not_taken_back(history: Sequence[Said]) -> list[Said]:
    """Of all words on a comment, the oldest first, those that stand."""
    standing: list[Said] = []
    for review in history:
        if review.decision == "undo":
            standing.pop()
        else:
            standing.append(review)
    return standing


def _history(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[sa.Row[Any]]]:
    query = sa.select(reviews).where(reviews.c.comment_id.in_(ids)).order_by(reviews.c.id)
    found: dict[str, list[sa.Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.comment_id, []).append(row)
    return found
