"""What Akismet's clients read: a word as the whole body, and the rest in headers.

WordPress publishes a comment whose answer has no X-akismet-guid, so every answer has one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, request

from moderation import faces
from moderation.akismet.reader import Invalid
from moderation.endpoint import service
from moderation.problems import TooManyCalls
from moderation.settings import GENERAL

CHECK = "comment_check"
"""The name of the view whose answer decides over a comment."""

_HELP = "X-akismet-debug-help"


def say(
    body: str, headers: Mapping[str, str] | None = None, comment_id: str | None = None
) -> Response:
    """An answer, with an id of its own that leads to the recorded comment, if there is one."""
    response = Response(body, mimetype="text/plain")
    response.headers.update(headers or {})
    guid = f"{comment_id or secrets.token_hex(16)}-{secrets.token_hex(4)}"
    response.headers["X-akismet-guid"] = guid
    return response


def say_json(data: Mapping[str, Any]) -> Response:
    """An answer of the calls about the account."""
    response = say(json.dumps(data, separators=(",", ":")))
    response.mimetype = "application/json"
    return response


def hold(why: str, codes: Sequence[str], comment_id: str | None = None) -> Response:
    """A person is to decide: WordPress and Discourse queue the comment; for all others, `true` is
    spam, which holds it as well."""
    headers = {"X-akismet-error": ", ".join(codes), _HELP: why}
    return say("true", headers, comment_id)


def handle_errors(blueprint: Blueprint) -> None:
    """Say errors of these views as Akismet would."""
    blueprint.register_error_handler(Invalid, _invalid)
    blueprint.register_error_handler(Exception, _failed)


def _invalid(error: Invalid) -> Response:
    return say("invalid", {_HELP: str(error)})


def _failed(error: Exception) -> Response:
    """A comment that could not be judged is held or published, as the site chose. Of all other
    calls, that they failed, so that the client keeps what it wanted to tell."""
    why = " ".join(faces.failure(error)[1].encode("ascii", "replace").decode().split())
    if (request.endpoint or "").rpartition(".")[2] != CHECK:
        response = say("failed", {_HELP: why, "Retry-After": "1", **faces.retry_after(error)})
        limited = isinstance(error, TooManyCalls)
        response.status_code = (
            HTTPStatus.TOO_MANY_REQUESTS if limited else HTTPStatus.SERVICE_UNAVAILABLE
        )
        return response
    if service().settings.policy(g.get("site", GENERAL)).on_error == "publish":
        return say("false", {_HELP: why})
    return hold(why, ["degraded"])
