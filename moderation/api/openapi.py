"""The OpenAPI 3.1 document, from the routes' declarations, docstrings and schemas."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema

from moderation.api.answer_schemas import ProblemSchema, VerdictSchema
from moderation.api.schemas import CommentSchema
from moderation.endpoint import Operation
from moderation.problems import MEDIA_TYPE

_ABOUT = """Comment moderation for blogs: *publish*, or *hold* for a person, with the reasons.

Every error is `application/problem+json` (RFC 9457). Keys go into `Authorization: Bearer KEY`; each
belongs to one site and to one of the roles `submit`, `moderate`, `admin`, each of which includes
the ones before it.
"""
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_OF_KEYS = (401, 403, 429, 503)
_OF_BODIES = (400, 413, 415, 422)


def operations(app: Flask) -> Iterator[tuple[str, Operation]]:
    """Every declared route with its name, in the order of registration."""
    for name, view in app.view_functions.items():
        if (operation := getattr(view, "operation", None)) is not None:
            yield name.rpartition(".")[2], operation


def document(app: Flask) -> dict[str, Any]:
    """The document of this app."""
    spec = APISpec(
        title="Comment moderation",
        version=_version(),
        openapi_version="3.1.0",
        info={"description": _ABOUT},
        plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)],
    )
    spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    for schema in (CommentSchema, VerdictSchema, ProblemSchema):
        # Also those that a list of mixed items names by reference only.
        spec.components.schema(_schema_name(schema), schema=schema)
    for name, operation in operations(app):
        path = _PARAMETER.sub(r"{\1}", operation.path)
        spec.path(path, operations={operation.method.lower(): _described(name, operation)})
    written: dict[str, Any] = spec.to_dict()
    return written


def _described(name: str, operation: Operation) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(operation.doc).partition("\n")
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "description": description.strip(),
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": [{"key": []}] if operation.role else [],
        "x-role": operation.role,
    }
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [
        {"in": "path", "name": name, "required": True, "schema": text}
        for name in _PARAMETER.findall(operation.path)
    ]
    in_header = [
        {"in": "header", "name": name, "description": meaning, "schema": text}
        for name, meaning in operation.headers.items()
    ]
    in_query = [{"in": "query", "schema": operation.query}] if operation.query else []
    return [*in_path, *in_query, *in_header]


def _responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        schema, media = operation.answer, "application/json"
        if isinstance(schema, str):
            good["content"] = {schema: {"schema": {"type": _type_of(schema)}}}
        else:
            good["content"] = {media: {"schema": schema}}
        if operation.also:
            good["content"][operation.also] = {"schema": {"type": _type_of(operation.also)}}
    return {
        str(200 if operation.answer is not None else 204): good,
        **{str(status): _problem(status) for status in _statuses(operation)},
    }


def _statuses(operation: Operation) -> list[int]:
    statuses = {*operation.errors}
    statuses.update(_OF_KEYS if operation.role else ())
    statuses.update(_OF_BODIES if operation.body else ())
    statuses.update((422,) if operation.query else ())
    return sorted(statuses)


def _problem(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": ProblemSchema}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _type_of(media: str) -> str:
    return "object" if media == "application/json" else "string"


def _schema_name(schema: Schema | type[Schema] | str) -> str:
    name = schema if isinstance(schema, str) else getattr(schema, "__name__", type(schema).__name__)
    return str(name).removesuffix("Schema")


def _version() -> str:
    try:
        return version("moderation")
    except PackageNotFoundError:  # run from a checkout
        return "0"
