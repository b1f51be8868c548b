"""Every error of the native API in one shape: RFC 9457, application/problem+json.

Never HTML and never a traceback. What is logged names the error and its place, not its message:
that may quote a comment.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from flask import Flask, Request, Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from moderation.answers import problem_json
from moderation.errors import ModerationError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 1
_NAMED = 3  # fields in `detail`; `errors` holds them all
_UNNAMED = "about:blank"  # RFC 9457: says no more than its status

_DETAILS = {
    404: "There is nothing at this address. /docs lists every call.",
    405: "This address does not take {method}. /docs lists every call.",
    500: "The service made a mistake and logged it. Treat the comment as held, and try again.",
}


class RequestError(Exception):
    """A request that cannot be carried out as it is. `str()` says how to mend it."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad request"
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str) -> None:
        super().__init__(detail)


class BrokenJson(RequestError):
    """A body that is not JSON."""

    title = "Broken JSON"


class WrongMediaType(RequestError):
    """A body that does not say that it is JSON, or that is compressed."""

    status = 415
    title = "Wrong media type"


class KeyNeeded(RequestError):
    """No key, or one that is unknown or revoked."""

    status = 401
    title = "Key needed"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="moderation"'}


class KeyTooWeak(RequestError):
    """A key whose role does not include this call."""

    status = 403
    title = "Key not allowed"


class TooManyBatches(RequestError):
    """Another batch is being judged, and this one has waited long enough."""

    status = 429
    title = "Too many batches"


class TooManyCalls(RequestError):
    """More calls in this minute than the site allows a key, or an author's address."""

    status = 429
    title = "Too many calls"

    def __init__(self, whose: str, limit: int, seconds: int) -> None:
        super().__init__(f"More than {limit} a minute from one {whose}. Wait {seconds} seconds.")
        self.headers = {"Retry-After": str(seconds)}


class Overloaded(RequestError):
    """More comments at once than this machine can judge in time."""

    status = 503
    title = "Overloaded"


class InvalidFields(RequestError):
    """Fields that are missing, unknown, or not as they should be; `errors` names them."""

    status = 422
    title = "Invalid fields"


def register(app: Flask) -> None:
    """Answer every error of the app in this shape."""
    app.register_error_handler(Exception, lambda error: answer(error, request))


def answer(error: Exception, asked: Request) -> Response:
    """The problem that an error is."""
    if isinstance(error, ValidationError):
        return _respond(invalid_json(error), {})
    if isinstance(error, RequestError | ModerationError):
        headers = error.headers if isinstance(error, RequestError) else {}
        return _answer(error.status, error.title, str(error), problem_type(error.title), headers)
    if isinstance(error, HTTPException):
        return _http(error, asked)
    report(error, asked)
    return _answer(500, HTTPStatus(500).phrase, _DETAILS[500], _UNNAMED, {})


def problem_type(title: str) -> str:
    """The address that explains this kind of problem."""
    return "/docs#problem-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def invalid_json(error: ValidationError) -> dict[str, Any]:
    """The problem object of fields that are not as they should be."""
    errors = flat(error.messages)
    detail = " ".join(f"{field}: {' '.join(said)}" for field, said in [*errors.items()][:_NAMED])
    kind, title = problem_type(InvalidFields.title), InvalidFields.title
    return problem_json(InvalidFields.status, title, detail, kind=kind, errors=errors)


def flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages by the path of the field, as `author.url`."""
    if isinstance(messages, Mapping):
        return {
            at: said
            for name, inner in messages.items()
            for at, said in flat(inner, _join(path, name)).items()
        }
    return {path or "body": [str(message) for message in messages]}


def _join(path: str, name: object) -> str:
    # "_schema" is marshmallow's word for the object as a whole.
    return path if name == "_schema" else f"{path}.{name}" if path else str(name)


def _http(error: HTTPException, asked: Request) -> Response:
    status = error.code or 500
    detail = str(error.description or HTTPStatus(status).phrase).strip()
    if status in _DETAILS:
        detail = _DETAILS[status].format(method=asked.method)
    if isinstance(error, RequestEntityTooLarge):
        detail = f"The body is larger than {asked.max_content_length} bytes, the most this takes."
    headers = {k: v for k, v in error.get_headers() if k.lower() != "content-type"}
    return _answer(status, HTTPStatus(status).phrase, detail, _UNNAMED, headers)


def retry_after(status: int) -> dict[str, str]:
    """When to come again, where that may help."""
    return {"Retry-After": str(_RETRY_SECONDS)} if status in (429, 503) else {}


def report(error: Exception, asked: Request = request) -> None:
    """Log an error that nobody foresaw: its kind and its place."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(frames[-6:]))
    # The path as Python would write it: a line feed in it would begin a line of the log.
    log.error("%r %r: %s at %s", asked.method, asked.path, type(error).__name__, places)


def _answer(
    status: int, title: str, detail: str, kind: str, headers: Mapping[str, str]
) -> Response:
    headers = {**retry_after(status), **headers}
    return _respond(problem_json(status, title, detail, kind=kind), headers)


def _respond(problem: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    body = json.dumps(problem, ensure_ascii=False).encode("utf-8", "replace")
    response = Response(body, status=problem["status"], mimetype=MEDIA_TYPE)
    response.headers.update(headers)
    return response
