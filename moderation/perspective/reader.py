"""Reads what Perspective's clients send. Fields may be written commentText or comment_text, and
unknown ones are ignored; what tells us not to store must be unmistakable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from flask import request

from moderation.auth import Caller
from moderation.endpoint import service
from moderation.perspective.attributes import ATTRIBUTES, NOT_SCORED
from moderation.perspective.errors import bad_key, invalid, no_key, refused
from moderation.problems import KeyNeeded, KeyTooWeak
from moderation.store.tables import storable
from moderation.verdict import Article, Comment

LONGEST = 20_480
"""Bytes of a comment, as with Perspective."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A request for scores: the attributes with their thresholds (0: none)."""

    comment: Comment
    attributes: Mapping[str, float]
    languages: tuple[str, ...]
    store: bool
    spans: bool
    token: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A moderator's scores of a comment."""

    comment: Comment
    scores: Mapping[str, float]
    languages: tuple[str, ...]
    token: str | None
    keeps: bool
    """Whether it may be written down."""


def caller() -> Caller:
    """Whose key it is."""
    key = request.args.get("key") or request.headers.get("X-Goog-Api-Key", "")
    try:
        return service().gatekeeper.admit(key, "submit")
    except (KeyNeeded, KeyTooWeak) as error:
        raise (bad_key() if key else no_key()) from error


def read_analysis() -> Analysis:
    """This request, for analyze."""
    body = _body()
    comment = _comment(body)
    requested = _by_attribute(body, "requestedAttributes")
    if not requested:
        raise refused("NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes")
    return Analysis(
        comment=comment,
        attributes={name: _threshold(name, config) for name, config in requested.items()},
        languages=_languages(body),
        store=not _flag(body, "doNotStore"),
        spans=_flag(body, "spanAnnotations"),
        token=_token(body),
    )


def read_suggestion() -> Suggestion:
    """This request, for suggestscore."""
    body = _body()
    comment = _comment(body)
    suggested = _by_attribute(body, "attributeScores")
    if not suggested:
        raise invalid("Missing attribute_scores")
    scores = {name: _suggested(name, score) for name, score in suggested.items()}
    keeps = not _flag(body, "doNotStore")
    return Suggestion(comment, scores, _languages(body), _token(body), keeps)


def _body() -> dict[str, Any]:
    raw = request.get_data()
    try:
        body = json.loads(raw.decode("utf-8-sig"), parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise invalid("Invalid JSON payload received.") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. The root must be an object.")
    mended: dict[str, Any] = storable(body)
    return _named(mended)


def _comment(body: Mapping[str, Any]) -> Comment:
    text = _string(_object(body, "comment"), "text")
    if not text.strip():
        raise refused("COMMENT_EMPTY", "Comment must be non-empty.")
    if len(text.encode()) > LONGEST:
        raise refused("COMMENT_TOO_LONG", "Comment text too long.")
    context = _object(body, "context")
    both = _object(context, "articleAndParentComment")
    entries = context.get("entries") or []
    if both and entries:
        raise invalid("Only one context field may be set.")
    article = _string(_object(both, "article"), "text")
    parent = _string(_object(both, "parentComment"), "text")
    if isinstance(entries, list) and entries and isinstance(entries[-1], dict):
        parent = _string(entries[-1], "text")
    return Comment(text, article=Article(text=article), parent=parent)


def _threshold(name: str, config: object) -> float:
    if name not in ATTRIBUTES:
        raise invalid(f"Unknown requested attribute: {name}")
    named = _named(config) if isinstance(config, dict) else {}
    kind = named.get("scoreType", "PROBABILITY")
    if kind not in ("PROBABILITY", "SCORE_TYPE_UNSPECIFIED"):
        raise invalid(f"Requested score type {kind} is not supported by attribute {name}")
    return _number(named.get("scoreThreshold", 0))


def _suggested(name: str, score: object) -> float:
    if name not in ATTRIBUTES and name not in NOT_SCORED:
        raise invalid(f"Unknown requested attribute: {name}")
    named = _named(score) if isinstance(score, dict) else {}
    value = _number(_object(named, "summaryScore").get("value"))
    if not 0 <= value <= 1:
        raise invalid(f"The score of {name} must be from 0 to 1.")
    return value


def _languages(body: Mapping[str, Any]) -> tuple[str, ...]:
    named = body.get("languages") or []
    if not isinstance(named, list) or not all(isinstance(language, str) for language in named):
        raise invalid("languages must be a list of strings.")
    return tuple(named)


def _token(body: Mapping[str, Any]) -> str | None:
    return _string(body, "clientToken") if body.get("clientToken") is not None else None


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _named(_by_attribute(body, name))


def _by_attribute(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object whose names are those of attributes, and stay as they are."""
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{name}': it must be an object.")
    return value


def _string(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"Invalid value at '{name}': it must be a string.")
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Invalid value at '{name}': it must be true or false.")
    return bool(value)


def _number(value: object) -> float:
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of four hundred digits
        pass
    raise invalid("A score must be a number.")


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields under the names that we know."""
    return {_camel(name): value for name, value in fields.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _not_json(name: str) -> float:
    raise ValueError(name)
