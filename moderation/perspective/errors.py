"""Perspective's errors, as Google writes them: a status, a message that clients show, details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response

from moderation import faces
from moderation.endpoint import reply

_DETAIL = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_NAMES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Refused(Exception):
    """A request that is answered with an error. `str()` is its message."""

    def __init__(self, message: str, *details: dict[str, Any], status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.details = details


def refused(kind: str, message: str, **facts: Any) -> Refused:
    """An error of one of the kinds that Perspective documents."""
    return Refused(message, {"@type": _DETAIL, "errorType": kind, **facts})


def invalid(message: str) -> Refused:
    """A request that is not as it should be."""
    return refused("INVALID_REQUEST", message)


def bad_key() -> Refused:
    """A key that is unknown or revoked."""
    reason = {"@type": _INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    return Refused("API key not valid. Please pass a valid API key.", reason)


def no_key() -> Refused:
    """A request without a key."""
    message = "The request is missing a valid API key. Pass it as `?key=` in the URL."
    return Refused(message, status=403)


def unknown_language(attribute: str, languages: Sequence[str], *, requested: bool) -> Refused:
    """The model was not trained on the language that was requested, or found."""
    which = "requestedLanguages" if requested else "detectedLanguages"
    return refused(
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        f"Attribute {attribute} does not support request languages: {', '.join(languages)}",
        languageNotSupportedByAttributeError={which: [*languages], "attribute": attribute},
    )


def handle_errors(blueprint: Blueprint) -> None:
    """Say errors of these views as Perspective would."""
    blueprint.register_error_handler(Refused, _refused)
    blueprint.register_error_handler(Exception, _failed)


def _refused(error: Refused) -> Response:
    return _answer(error.status, str(error), error.details)


def _failed(error: Exception) -> Response:
    response = _answer(*faces.failure(error))
    response.headers.update(faces.retry_after(error))
    return response


def _answer(status: int, message: str, details: Sequence[dict[str, Any]] = ()) -> Response:
    name = _NAMES.get(status, "UNKNOWN")
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = [*details]
    return reply({"error": error}, status)
