"""OpenAI's moderations call, for clients that let their users choose the base URL.

`flagged` is our verdict: true is hold, whatever the reason. The thirteen categories are OpenAI's;
they hold what our model says of abuse, and 0 for what it was not trained on. Nothing is recorded.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from flask import Blueprint, Response, request

from moderation import faces
from moderation.auth import bearer
from moderation.endpoint import reply, service
from moderation.problems import KeyNeeded, KeyTooWeak, RequestError
from moderation.store.tables import storable
from moderation.verdict import Comment, Verdict

openai_moderations = Blueprint("openai_moderations", __name__)

# Which of our scores each category rests on; the least of them counts.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "harassment": ("abuse",),
    "harassment/threatening": ("abuse", "threat"),
    "hate": ("abuse", "identity_attack"),
    "hate/threatening": ("abuse", "identity_attack", "threat"),
    "illicit": (),
    "illicit/violent": (),
    "self-harm": (),
    "self-harm/intent": (),
    "self-harm/instructions": (),
    "sexual": ("sexual",),
    "sexual/minors": (),
    "violence": ("threat",),
    "violence/graphic": (),
}
_YES = 0.5
_MOST_INPUTS = 1_000
_TYPES = {401: "invalid_request_error", 429: "rate_limit_error", 503: "server_error"}


class BadInput(Exception):
    """An input that cannot be moderated."""

    def __init__(self, message: str, param: str = "input") -> None:
        super().__init__(message)
        self.param = param


def handle_errors(blueprint: Blueprint) -> None:
    """Say errors of these views as OpenAI would."""
    blueprint.register_error_handler(BadInput, _bad_input)
    blueprint.register_error_handler(KeyNeeded, _bad_key)
    blueprint.register_error_handler(KeyTooWeak, _bad_key)
    blueprint.register_error_handler(Exception, _failed)


def read_body() -> dict[str, Any]:
    """The JSON object of this request."""
    try:
        body = json.loads(request.get_data().decode())
    except (ValueError, RecursionError) as error:
        raise BadInput("We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    mended: dict[str, Any] = storable(body)
    return mended


@openai_moderations.post("/v1/moderations")
def moderations() -> Response:
    """A result for each input text."""
    site = service().gatekeeper.admit(bearer(), "submit").site
    request.max_content_length = service().settings.max_batch_body
    texts = _texts(read_body().get("input"))
    longest = service().settings.policy(site).max_length
    if any(len(text) > longest for text in texts):
        raise BadInput(f"An input is longer than {longest} characters.")
    comments = [Comment(text) for text in texts]
    judged = service().judge(site, comments, record=False, alone=True)
    return reply(
        {
            "id": f"modr-{secrets.token_hex(12)}",
            "model": judged[0].verdict.model,
            "results": [_result(one.verdict) for one in judged],
        }
    )


def _result(verdict: Verdict) -> dict[str, Any]:
    scores = {
        name: min((verdict.scores.get(head, 0.0) for head in heads), default=0.0)
        for name, heads in CATEGORIES.items()
    }
    abusive = any(finding.code == "abuse" for finding in verdict.reasons)
    categories = {name: score >= _YES and abusive for name, score in scores.items()}
    categories["harassment"] = abusive
    return {
        "flagged": verdict.decision == "hold",
        "categories": categories,
        "category_scores": scores,
        "category_applied_input_types": {
            name: ["text"] if heads else [] for name, heads in CATEGORIES.items()
        },
    }


def _texts(given: object) -> list[str]:
    """An array of strings is one input each; an array of parts is one input."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_INPUTS:
        raise BadInput(f"'input' must be a string, or an array of 1 to {_MOST_INPUTS} items.")
    if all(isinstance(item, str) for item in given):
        return given
    return ["\n".join(_part(item) for item in given)]


def _part(item: object) -> str:
    if isinstance(item, dict) and item.get("type") == "text" and isinstance(item.get("text"), str):
        return str(item["text"])
    raise BadInput("Only text can be moderated: parts must be {'type': 'text', 'text': '…'}.")


def _bad_input(error: BadInput) -> Response:
    return _error(400, str(error), param=error.param)


def _bad_key(error: RequestError) -> Response:
    return _error(401, str(error), code="invalid_api_key")


def _failed(error: Exception) -> Response:
    status, message = faces.failure(error)
    response = _error(status, message, code="rate_limit_exceeded" if status == 429 else None)
    response.headers.update(faces.retry_after(error))
    return response


def _error(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> Response:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    facts = {"message": message, "type": kind, "param": param, "code": code}
    return reply({"error": facts}, status)


handle_errors(openai_moderations)
