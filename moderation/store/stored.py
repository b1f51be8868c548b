"""What the store hands out, and how it becomes a row and comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from moderation.settings import Policy
from moderation.store.history import Hashes
from moderation.store.tables import storable
from moderation.verdict import (
    Article,
    Author,
    Change,
    Comment,
    Finding,
    Form,
    Language,
    Span,
    Verdict,
)

Status = Literal["published", "held", "rejected"]
Label = Literal["ok", "spam", "abuse"]
ReviewDecision = Literal["publish", "reject", "undo"]


@dataclass(frozen=True, slots=True)
class Review:
    """A moderator's word on a comment. The last one counts, the others are its history; `undo`
    took back the one before. `model` is the one whose verdict it was a word on."""

    id: int
    decision: ReviewDecision
    label: Label | None
    note: str
    by: str
    at: datetime
    model: str
    act: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A recorded comment. `comment.author.ip` is empty: addresses are never stored.

    `reviews`, oldest first, are there where one comment was asked for, not in a listing.
    """

    id: str
    site: str
    status: Status
    comment: Comment
    verdict: Verdict
    promise: float
    received: datetime
    label: Label | None
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue; `next` is the cursor of the page after it, None on the last."""

    comments: tuple[Stored, ...]
    next: str | None


def new_id() -> str:
    """A UUID (version 7) in hex: ids in the order of time are comments in the order of time."""
    now = time.time_ns()
    milliseconds, fraction = divmod(now, 1_000_000)
    version = 0x7000 | fraction * 4096 // 1_000_000
    variant = 0x8000000000000000 | int.from_bytes(os.urandom(8)) >> 2
    return f"{milliseconds:012x}{version:04x}{variant:016x}"


def to_row(
    policy: Policy, comment: Comment, verdict: Verdict, key: str | None, hashes: Hashes
) -> dict[str, Any]:
    """The row of a comment that just came."""
    facts = _plain(comment)
    content = facts.pop("content")
    facts["author"]["ip"] = ""
    author, own = comment.author, new_id()
    return {
        "id": own,
        "site": policy.site,
        "external_id": facts["external_id"] or None,
        "idempotency_key": key,
        "request_hash": hashes.request(comment) if key else "",
        "received": time.time(),
        "content": content,
        "facts": facts,
        "search": storable("\n".join((content, author.name, author.email, author.url))).casefold(),
        "text_hash": hashes.text(comment),
        "author_hash": hashes.author(author),
        "status": "published" if verdict.decision == "publish" else "held",
        "label": None,
        "reasons": "".join(f";{finding.code}" for finding in verdict.reasons) + ";",
        "doubt": doubt(verdict.scores),
        "promise": policy.promise,
        "verdict": _plain(verdict),
        "language": verdict.language.code,
        "model": verdict.model,
        "spam": verdict.scores["spam"],
        "abuse": verdict.scores["abuse"],
        "family": own,
    }


def from_row(row: sa.RowMapping | Mapping[str, Any], reviews: Sequence[sa.Row[Any]] = ()) -> Stored:
    """The comment of a row."""
    return Stored(
        id=row["id"],
        site=row["site"],
        status=row["status"],
        comment=_comment(row["content"], **row["facts"]),
        verdict=_verdict(**row["verdict"]),
        promise=row["promise"],
        received=moment(row["received"]),
        label=row["label"],
        reviews=tuple(map(review_of, reviews)),
    )


def review_of(row: sa.Row[Any]) -> Review:
    """The review of a row."""
    of = (row.id, row.decision, row.label, row.note, row.reviewer, moment(row.at))
    return Review(*of, row.model, row.act)


def doubt(scores: Mapping[str, float]) -> float:
    """1 where the model cannot tell at all, 0 where it is sure of either side."""
    return 1 - abs(2 * max(scores["spam"], scores["abuse"]) - 1)


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _plain(value: Any) -> Any:
    """As JSON has it and any database can hold it: `asdict` took several times as long."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\0" not in value else storable(value)
    if names := _FIELDS.get(kind):
        return {name: _plain(getattr(value, name)) for name in names}
    return [_plain(item) for item in value] if kind is tuple else value


_FIELDS: dict[type, list[str]] = {
    kind: [field.name for field in fields(kind)]
    for kind in (Article, Author, Change, Comment, Finding, Form, Language, Span, Verdict)
}


def _comment(content: str, author: Any, article: Any, form: Any, **rest: Any) -> Comment:
    return Comment(content, Author(**author), Article(**article), form=Form(**form), **rest)


def _verdict(reasons: Any, changes: Any, language: Any, **rest: Any) -> Verdict:
    return Verdict(
        reasons=tuple(_finding(**finding) for finding in reasons),
        changes=tuple(Change(**change) for change in changes),
        language=Language(**language),
        **rest,
    )


def _finding(spans: Any, **rest: Any) -> Finding:
    return Finding(spans=tuple(Span(**span) for span in spans), **rest)
