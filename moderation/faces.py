"""What the faces of other people's protocols share: one comment in, one verdict out, and feedback.

They judge each comment on its own, without the duplicate and flood checks: the systems behind them
send the same comment again (a recheck, an edit, a retry after a time-out) and have rules of their
own for who posts how often.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial

from werkzeug.exceptions import HTTPException

from moderation import problems
from moderation.auth import Caller
from moderation.endpoint import service
from moderation.errors import ModerationError, UnknownComment
from moderation.problems import RequestError
from moderation.service import Judged
from moderation.store.stored import Label, ReviewDecision, Stored
from moderation.verdict import Comment, Verdict

# Forms write a character as up to nine bytes, and WordPress sends the comment twice.
_FORM_OVERHEAD = 4


@dataclass(frozen=True, slots=True)
class Report:
    """What a moderator of the blog said of a comment, and through which protocol."""

    decision: ReviewDecision
    label: Label | None
    source: str


def largest_form() -> int:
    """Bytes of a request that holds a comment as these protocols write it."""
    return service().settings.max_body * _FORM_OVERHEAD


def judge(site: str, comment: Comment, source: str, *, record: bool = True) -> Judged:
    """The verdict on a comment. It is recorded once, however often it is sent."""
    name = partial(_name, source)
    (judged,) = service().judge(site, [comment], record=record, alone=True, name=name)
    return judged


def learn(caller: Caller, comment: Comment, report: Report, comment_id: str = "") -> None:
    """Make it the review of the recorded comment: of that id, else with that text. A comment that
    was never seen is recorded first, so that it reaches training."""
    store = service().store
    # Longer ones are not judged, and need not be: the model would read no more of them.
    longest = service().settings.policy(caller.site).max_length
    comment = replace(comment, content=comment.content[:longest])
    stored = _by_id(caller.site, comment_id) or store.find_text(caller.site, comment)
    if stored is None:
        judged = judge(caller.site, comment, report.source)
        stored = store.find(caller.site, str(judged.id))
    status = "published" if report.decision == "publish" else "rejected"
    if (stored.status, stored.label) == (status, report.label):
        return  # said before
    store.review(
        caller.site,
        stored.id,
        report.decision,
        report.label,
        note=f"reported through {report.source}",
        by=caller.key,
    )


def failure(error: Exception) -> tuple[int, str]:
    """Status and message of an error. One that nobody foresaw is logged, and not shown: it may
    quote the comment."""
    if isinstance(error, RequestError | ModerationError):
        return error.status, str(error)
    if isinstance(error, HTTPException):
        return error.code or 500, str(error.description)
    problems.report(error)
    return 500, "The service made a mistake and logged it."


def retry_after(error: Exception) -> dict[str, str]:
    """The header that says when to come again, where that may help."""
    own = error.headers if isinstance(error, RequestError) else {}
    return {**problems.retry_after(getattr(error, "status", 500)), **own}


def _by_id(site: str, comment_id: str) -> Stored | None:
    try:
        return service().store.find(site, comment_id) if comment_id else None
    except UnknownComment:
        return None


def _name(source: str, comment: Comment, verdict: Verdict) -> str:
    """The same for the same comment by the same author on the same page, until it is judged
    otherwise. Without the address, which is never kept."""
    author, article = comment.author, comment.article
    facts = [comment.content, author.id, author.name, author.email, author.url, article.url]
    digest = hashlib.sha256(json.dumps([*facts, verdict.decision]).encode()).hexdigest()
    return f"{source}:{digest}"
