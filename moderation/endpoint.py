"""How a route of the native API is declared: who may call it, what it takes, what it answers.

The declaration is what happens *and* what the OpenAPI document says, so the two cannot differ.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_content_length, get_input_stream

from moderation.auth import bearer
from moderation.problems import BrokenJson, WrongMediaType
from moderation.service import Service
from moderation.store.keys import Role

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Answer = Schema | str
View = TypeVar("View", bound=Callable[..., Response])

EXTENSION = "moderation"
HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


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

        def call(**parts: str) -> Response:
            request.max_content_length = largest_body(service(), operation)
            return view(**parts, **arguments(service(), operation, request.environ))

        call.operation = operation  # type: ignore[attr-defined]  # read by the OpenAPI document
        blueprint.add_url_rule(path, view.__name__, call, methods=[method])
        return view

    return register


def reply(data: Mapping[str, Any], status: int = 200) -> Response:
    """JSON. Half characters, which UTF-8 cannot hold, become question marks."""
    return Response(written(data), status=status, mimetype="application/json")


def written(data: Mapping[str, Any]) -> bytes:
    """JSON as it is sent."""
    return _ENCODER.encode(data).encode("utf-8", "replace")


def finish(response: Response, call: str, seconds: float) -> Response:
    """Count an answer, and give it the headers that all have."""
    service().metrics.observe(call, response.status_code, seconds)
    for name, value in HEADERS:
        response.headers.setdefault(name, value)
    return response


def arguments(here: Service, operation: Operation, environ: WSGIEnvironment) -> dict[str, Any]:
    """What an operation asks for, of a request that may make this call. Read from the request as
    the server gives it: Flask's own takes as long as a verdict."""
    given: dict[str, Any] = {}
    if operation.role is None:
        return given
    given["caller"] = here.gatekeeper.admit(bearer(environ), operation.role)
    if operation.query is not None:
        given["query"] = _query(operation.query, environ.get("QUERY_STRING", ""))
    if operation.headers:
        given["headers"] = {
            name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "")
            for name in operation.headers
        }
    if operation.body is not None:
        given["body"] = operation.body.load(_json_body(environ, largest_body(here, operation)))
    return given


def largest_body(here: Service, operation: Operation) -> int:
    """Bytes that a request of this operation may have."""
    return here.settings.max_batch_body if operation.large else here.settings.max_body


def _query(schema: Schema, written: str) -> Any:
    # most calls bring one of two or three
    return dict(_known_query(schema, written) if len(written) < _SHORT else _read(schema, written))


def _read(schema: Schema, written: str) -> Any:
    fields = parse_qsl(written.encode("latin-1").decode(errors="replace"), keep_blank_values=True)
    return schema.load(dict(reversed(fields)))


_SHORT = 100
_known_query = lru_cache(256)(_read)


def _json_body(environ: WSGIEnvironment, most: int) -> Any:
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").lower()
    if not _JSON.match(environ.get("CONTENT_TYPE", "")) or encoding != "identity":
        raise WrongMediaType("Send JSON, uncompressed, with `Content-Type: application/json`.")
    raw = get_input_stream(environ, max_content_length=most).read()
    if get_content_length(environ) is None and len(raw) >= most:
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off there, and says nothing
    return read_json(raw)


def read_json(raw: bytes) -> Any:
    """The value of a body; BrokenJson says where it is none."""
    try:
        return _DECODER.decode(raw.removeprefix(codecs.BOM_UTF8).decode())
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
_JSON = re.compile(r"\s*application/(?:json|[^;]*\+json)\s*(?:;|$)", re.IGNORECASE)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
