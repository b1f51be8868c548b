"""The native API: comments, verdicts, reviews. Each route is a schema, one call and an answer;
its docstring is its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response
from marshmallow import ValidationError

from moderation.answers import record_json, verdict_json
from moderation.api.answer_schemas import (
    ErasedSchema,
    QueueSchema,
    RecordSchema,
    VerdictSchema,
    VerdictsSchema,
)
from moderation.api.schemas import (
    BatchSchema,
    CommentSchema,
    ErasedAuthorSchema,
    QueueQuery,
    RecordQuery,
    ReviewSchema,
)
from moderation.auth import Caller
from moderation.endpoint import reply, route, service
from moderation.labelled_csv import csv_lines
from moderation.problems import invalid_json
from moderation.service import Service
from moderation.verdict import Author, Comment

api = Blueprint("api", __name__)

KEY_HEADER = "Idempotency-Key"
_LONGEST_KEY = 255
_HEADERS = {
    KEY_HEADER: "Any text, new for each new or edited comment. Sent again with the same comment, "
    "it gets the first verdict again; with another comment, 409."
}
_COMMENT = CommentSchema()


@route(
    api,
    "POST /v1/comments",
    role="submit",
    body=_COMMENT,
    query=RecordQuery(),
    answer=VerdictSchema(),
    headers=_HEADERS,
    errors=(409,),
)
def submit_comment(
    caller: Caller, body: Comment, query: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    """Judge a comment and record it.

    `publish` it, or `hold` it for a moderator. `html` is safe to insert into a page in both cases.
    With `record=false` the comment is judged and nothing is stored: a preview while typing, or a
    backend with a queue of its own.

    If no answer comes in time, or an error, hold the comment and send it again with the same
    `Idempotency-Key` or `external_id`: nothing is stored twice.
    """
    return reply(submitted(service(), caller, body, query, headers))


def submitted(
    here: Service,
    caller: Caller,
    body: Comment,
    query: Mapping[str, Any],
    headers: Mapping[str, str],
) -> dict[str, Any]:
    """What `submit_comment` answers."""
    _check_length(here, caller, body)
    key = _idempotency_key(headers)
    (judged,) = here.judge(caller.site, [body], record=query["record"], idempotency_key=key)
    return verdict_json(judged.id, judged.verdict)


@route(
    api,
    "POST /v1/comments/batch",
    role="submit",
    body=BatchSchema(),
    query=RecordQuery(),
    answer=VerdictsSchema(),
    headers=_HEADERS,
    errors=(409, 429),
    large=True,
)
def submit_batch(
    caller: Caller, body: Mapping[str, Any], query: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    """Judge up to 1,000 comments.

    The verdicts come in the same order. Where a comment cannot be read, a problem stands in its
    place, and the others are judged all the same.
    """
    read = [_read(caller, item) for item in body["comments"]]
    comments = [item for item in read if isinstance(item, Comment)]
    key = _idempotency_key(headers)
    judged = iter(
        service().judge(caller.site, comments, record=query["record"], idempotency_key=key)
    )
    verdicts = [
        verdict_json((one := next(judged)).id, one.verdict) if isinstance(item, Comment) else item
        for item in read
    ]
    return reply({"verdicts": verdicts})


@route(api, "GET /v1/comments", role="moderate", query=QueueQuery(), answer=QueueSchema())
def list_comments(caller: Caller, query: dict[str, Any]) -> Response:
    """The queue.

    `status=held` is what waits for a moderator. `order=uncertain` begins with the comments on
    which a moderator's word teaches most.
    """
    cursor = query.pop("cursor", "") or None  # an empty one is none
    page = service().store.queue(caller.site, cursor=cursor, **query)
    comments = [record_json(stored) for stored in page.comments]
    return reply({"comments": comments, "next": page.next})


@route(
    api,
    "GET /v1/comments/<comment_id>",
    role="moderate",
    answer=RecordSchema(),
    errors=(404,),
)
def get_comment(caller: Caller, comment_id: str) -> Response:
    """One comment, with its verdict and all its reviews."""
    return reply(record_json(service().store.find(caller.site, comment_id)))


@route(api, "DELETE /v1/comments/<comment_id>", role="moderate", errors=(404,))
def erase_comment(caller: Caller, comment_id: str) -> Response:
    """Erase a comment for good: its text, its author, its reviews and its label."""
    service().store.erase(caller.site, comment_id)
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@route(
    api,
    "DELETE /v1/authors",
    role="moderate",
    body=ErasedAuthorSchema(),
    answer=ErasedSchema(),
)
def erase_author(caller: Caller, body: Author) -> Response:
    """Erase all of an author's comments on this site for good, with their reviews and labels.

    The author is in the body, not in the address, so that no log of a proxy keeps them. Models
    that learned from these comments are marked.
    """
    return reply({"erased": service().store.erasing.author(caller.site, body)})


@route(
    api,
    "POST /v1/comments/<comment_id>/review",
    role="moderate",
    body=ReviewSchema(),
    answer=RecordSchema(),
    errors=(404, 409),
)
def review_comment(caller: Caller, comment_id: str, body: Mapping[str, Any]) -> Response:
    """A moderator's word on a comment.

    It replaces an earlier one, so a mistake is undone by another review; the history is kept.
    With a label the comment teaches the next model; without, it is only published or rejected.
    """
    stored = service().store.review(
        caller.site,
        comment_id,
        body["decision"],
        body["label"],
        note=body.get("note") or "",
        by=caller.key,
        seen=body["seen"],
    )
    return reply(record_json(stored))


@route(api, "GET /v1/labels.csv", role="moderate", answer="text/csv")
def export_labels(caller: Caller) -> Response:
    """Every comment that was reviewed with a label, as a labelled CSV to train on.

    A cell that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a
    carriage return) gets an apostrophe in front; training takes it off again.
    """
    # all of it first: a stream that the database ends looks like a whole file
    response = Response(
        "".join(csv_lines(service().store.labels(caller.site))), mimetype="text/csv"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="labels.csv"'
    return response


def _idempotency_key(headers: Mapping[str, str]) -> str:
    key = headers[KEY_HEADER]
    if len(key) > _LONGEST_KEY:
        raise ValidationError({KEY_HEADER: [f"Longer than {_LONGEST_KEY} characters."]})
    return key


def _read(caller: Caller, item: object) -> Comment | dict[str, Any]:
    """A comment of a batch, or the problem with it."""
    try:
        comment = cast(Comment, _COMMENT.load(cast(Mapping[str, Any], item)))
        _check_length(service(), caller, comment)
    except ValidationError as error:
        return invalid_json(error)
    return comment


def _check_length(here: Service, caller: Caller, comment: Comment) -> None:
    longest = here.settings.policy(caller.site).max_length
    if len(comment.content) > longest:
        raise ValidationError({"content": [f"Longer than {longest} characters."]})
