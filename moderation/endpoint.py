"""How a route of the native API is declared: who may call it, what it takes, what it answers.

The declaration is what happens *and* what the OpenAPI document says, so the two cannot differ.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from flask import Blueprint, Request, Response, current_app, request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge

from moderation.auth import bearer
from moderation.keys import Role
from moderation.problems import BrokenJson, WrongMediaType
from moderation.service import Service

Answer = Schema | str
View = TypeVar("View", bound=Callable[..., Response])

EXTENSION = "moderation"
_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


@dataclass(frozen=True, slots=True)
class Operation:
    """A route's declaration, as the OpenAPI document needs it."""

    method: str
    path: str
    role: Role | None
    body: Schema | None
    query: Schema | None
    answer: Answer | None
    """A schema, or the media type of an answer that is not JSON."""
    also: str | None
    """Another media type, for whoever asks for it by `Accept`."""
    headers: Mapping[str, str]
    errors: tuple[int, ...]
    large: bool
    """Whether its body may be as large as a batch."""
    doc: str


def service() -> Service:
    """The service of the current app."""
    found: Service = current_app.extensions[EXTENSION]
    return found


def route(
    blueprint: Blueprint,
    rule: str,
    *,
    role: Role | None,
    body: Schema | None = None,
    query: Schema | None = None,
    answer: Answer | None = None,
    also: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: tuple[int, ...] = (),
    large: bool = False,
) -> Callable[[View], View]:
    """Register a view under `METHOD /path`.

    It is called with what the declaration asks for: `caller` where there is a role, `body` and
    `query` where there is a schema, `headers` where some are named, and the parts of the path.
    """
    method, path = rule.split(" ")

    def register(view: View) -> View:
        operation = Operation(
            method,
            path,
            role,
            body,
            query,
            answer,
            also,
            headers or {},
            errors,
            large,
            view.__doc__ or "",
        )

        def call(asked: Request | None = None, **parts: str) -> Response:
            return _call(view, operation, asked or request, parts)

        call.operation = operation  # type: ignore[attr-defined]  # read by the OpenAPI document
        blueprint.add_url_rule(path, view.__name__, call, methods=[method])
        return view

    return register


def reply(data: Mapping[str, Any], status: int = 200) -> Response:
    """JSON. Half characters, which UTF-8 cannot hold, become question marks."""
    return Response(
        _ENCODER.encode(data).encode("utf-8", "replace"), status=status, mimetype="application/json"
    )


def finish(response: Response, call: str, seconds: float) -> Response:
    """Count an answer, and give it the headers that all have."""
    service().metrics.observe(call, response.status_code, seconds)
    for name, value in _HEADERS:
        response.headers.setdefault(name, value)
    return response


def _call(
    view: Callable[..., Response], operation: Operation, asked: Request, parts: dict[str, str]
) -> Response:
    here, given = service(), dict[str, Any](parts)
    if operation.role is None:
        return view(**given)
    given["caller"] = here.gatekeeper.admit(bearer(asked), operation.role)
    if operation.query is not None:
        given["query"] = operation.query.load(asked.args.to_dict())
    if operation.headers:
        given["headers"] = {name: asked.headers.get(name, "") for name in operation.headers}
    settings = here.settings
    asked.max_content_length = settings.max_batch_body if operation.large else settings.max_body
    if operation.body is not None:
        given["body"] = operation.body.load(_json_body(asked))
    return view(**given)


def _json_body(asked: Request) -> Any:
    encoding = asked.headers.get("Content-Encoding", "identity").lower()
    if not asked.is_json or encoding != "identity":
        raise WrongMediaType("Send JSON, uncompressed, with `Content-Type: application/json`.")
    raw = asked.get_data()
    if asked.content_length is None and len(raw) >= (asked.max_content_length or math.inf):
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off there, and says nothing
    return read_json(raw)


def read_json(raw: bytes) -> Any:
    """The value of a body; BrokenJson says where it is none."""
    try:
        return _DECODER.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BrokenJson(f"The body is not UTF-8: byte {error.start} does not fit.") from error
    except RecursionError as error:
        raise BrokenJson("The body is nested too deep.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BrokenJson(f"The body is not JSON: {error.msg} at {place}.") from error
    except ValueError as error:  # NaN and Infinity, or a number of thousands of digits
        raise BrokenJson(
            "The body holds a number that JSON or this service does not know."
        ) from error


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)


# json.loads and json.dumps would make them anew for each request.
_DECODER = json.JSONDecoder(parse_constant=_not_json)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
