"""The moderators' queue, as a page. Every act is a form, so that it works without a script too."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request
from marshmallow import EXCLUDE, ValidationError, validate
from werkzeug.wrappers import Response

from moderation.api.schemas import QueueQuery, Text
from moderation.endpoint import service
from moderation.errors import ReviewedSince
from moderation.problems import InvalidFields, flat
from moderation.review import words as review_words
from moderation.review.pages import Answer, chosen_sites, page, page_blueprint
from moderation.review.words import ACTS
from moderation.store.reviewing import Act, Word
from moderation.store.sessions import Session
from moderation.store.stored import Stored
from moderation.verdict import REASON_CODES

review = page_blueprint("review")

_SHOWN = 20
_ALL = "all"


class _Query(QueueQuery):
    """What the page can be asked for: the queue of one site, or of all that one is signed in to."""

    site = Text(validate=validate.Length(max=64))


_QUERY = _Query(unknown=EXCLUDE)


@page(review, "GET /review", role="moderate", nav="Queue")
def queue(session: Session) -> Answer:
    """A page of the queue, and what came of the act before."""
    return _queue(session, request.args.to_dict())


@page(review, "GET /review/comments/<comment_id>", role="moderate")
def one_comment(session: Session, comment_id: str) -> Answer:
    """One comment with all that is known of it."""
    stored = service().store.find(_site_of(session, comment_id), comment_id)
    return render_template("comment.html", **_cards([stored]), back="")


@page(review, "POST /review/comments/<comment_id>", role="moderate")
def decide(session: Session, comment_id: str) -> Answer:
    """Publish or reject a comment, or take back what was decided on it."""
    site = _site_of(session, comment_id)
    word, seen = _word(session, site), _whole_number("seen")
    done = service().store.desk.act(site, {comment_id: seen}, word)
    if not done.done:
        late = service().store.find(site, comment_id)
        return _queue(session, _back(), late=late), ReviewedSince.status
    return _to_queue(done)


@page(review, "POST /review/comments/<comment_id>/copies", role="moderate")
def decide_copies(session: Session, comment_id: str) -> Response:
    """The same for all near-copies of a comment that the moderator was told of."""
    status, newest = _choice("status", "held", "published", "rejected"), request.form["newest"]
    site = _site_of(session, comment_id)
    word = _word(session, site)
    done = service().store.desk.act_on_family(site, comment_id, status, newest, word)
    return _to_queue(done)


@page(review, "POST /review/acts/<name>/undo", role="moderate")
def undo(session: Session, name: str) -> Response:
    """Take back all that one click decided, but for what was decided again since."""
    desk = service().store.desk
    made = desk.acted(session.sites(), name)
    if not made:
        return _to_queue(Act("", (), ()))
    site = made[0].site  # a comment's near-copies are of its own site
    return _to_queue(desk.undo(site, name, by=session.keys.get(site, "")))


def _queue(session: Session, asked: dict[str, str], late: Stored | None = None) -> str:
    desk, filters = service().store.desk, _filters(asked)
    sites = chosen_sites(session, filters.get("site"))
    query = {name: value for name, value in filters.items() if name != "site"}
    if query["status"] == _ALL:
        query["status"] = None
    found = desk.queue(sites, **query, limit=_SHOWN, gathered="like" not in filters)
    given = {name: value for name, value in filters.items() if name != "cursor"}
    return render_template(
        "queue.html",
        **_cards(found.comments),
        filters=filters,
        back=urlencode(filters),
        next=found.next and urlencode({**given, "cursor": found.next}),
        counts=desk.counts(sites),
        languages=sorted({*desk.held_languages(sites), filters.get("language", "und")}),
        reasons=REASON_CODES,
        outcome=_outcome(session, asked),
        late=late,
        around_late=late and desk.around([late])[late.id],
    )


def _filters(asked: dict[str, str]) -> dict[str, Any]:
    """What is asked of the queue; what is left out is what waits, the least certain first."""
    given = {name: value for name, value in asked.items() if value}
    status = given.pop("status", "held")
    given.setdefault("order", "uncertain" if status == "held" else "newest")
    try:
        loaded = _QUERY.load(given if status == _ALL else {**given, "status": status})
    except ValidationError as error:
        wrong = "; ".join(
            f"{name}: {' '.join(said)}" for name, said in flat(error.messages).items()
        )
        raise InvalidFields(wrong) from error
    del loaded["limit"]
    return {**{name: value for name, value in loaded.items() if value}, "status": status}


def _cards(shown: tuple[Stored, ...] | list[Stored]) -> dict[str, Any]:
    return {
        "comments": shown,
        "around": service().store.desk.around(shown),
        "names": service().store.keys.names(),
        "words": review_words,
    }


def _outcome(session: Session, asked: dict[str, str]) -> dict[str, Any] | None:
    """What the act did that this page comes from, read from the history."""
    name, late = asked.get("act", ""), asked.get("late", "")
    made = service().store.desk.acted(session.sites(), name) if name else []
    late = late if late.isdecimal() else ""
    return {"act": name, "made": made, "late": late} if made or late else None


def _site_of(session: Session, comment_id: str) -> str:
    """The comment's own site: on no other does a key of theirs count."""
    return service().store.desk.site_of(session.sites(), comment_id)


def _word(session: Session, site: str) -> Word:
    decision, label = ACTS[_choice("act", *ACTS)]
    note = request.form.get("note", "").strip()[:1000]
    return Word(
        decision, label if request.form.get("teach") else None, note, session.keys.get(site, "")
    )


def _to_queue(done: Act) -> Response:
    told = {"act": done.id, "late": str(len(done.late) or "")}
    query = urlencode({**_back(), **{name: value for name, value in told.items() if value}})
    return redirect(f"/review?{query}", HTTPStatus.SEE_OTHER)


def _back() -> dict[str, str]:
    """The page of the queue that the form stood on."""
    asked = parse_qsl(request.form.get("back", ""))
    return {name: value for name, value in asked if value and name in _QUERY.fields}


def _choice(name: str, *allowed: str) -> Any:
    value = request.form.get(name, "")
    if value not in allowed:
        raise InvalidFields(f"{name}: must be one of {', '.join(allowed)}.")
    return value


def _whole_number(name: str) -> int:
    value = request.form.get(name, "")
    if not value.isdecimal() or len(value) > 18:
        raise InvalidFields(f"{name}: must be a whole number.")
    return int(value)
