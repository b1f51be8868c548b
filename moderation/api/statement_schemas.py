"""What the native API tells the author of a comment, as schemas for the OpenAPI document."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from moderation.store.stored import Status
from moderation.verdict import REASON_CODES
from moderation.wordings import languages

_MESSAGE = "To our automatic check it reads like an attack on a person or a group."
_ID = "01a204b9990877c2854ff2dce55fbba6"


def _text(description: str, example: str) -> fields.String:
    return fields.String(required=True, metadata={"description": description, "example": example})


class AuthorReasonSchema(Schema):
    """A reason as it is put to the author: no score, no limit."""

    code = fields.String(
        required=True, validate=validate.OneOf([*REASON_CODES]), metadata={"example": "abuse"}
    )
    message = fields.String(required=True, metadata={"example": _MESSAGE})


class AutomatedSchema(Schema):
    """Whether automated means were used, Article 17(3)(c)."""

    detection = fields.Boolean(
        required=True, metadata={"description": "To find the comment.", "example": True}
    )
    decision = fields.Boolean(
        required=True,
        metadata={"description": "To decide about it; false once a person did.", "example": True},
    )
    explanation = _text(
        "The same in words.",
        "The comment was found and held by automated means. A person decides about it next.",
    )


class StatementOfReasonsSchema(Schema):
    """In the shape of Article 17(3) of the EU's Digital Services Act, in sentences."""

    restriction = _text(
        "What was decided, for how long, and what it concerns: (a).",
        "The comment is not shown to readers, until a moderator has decided. "
        "It concerns this comment only.",
    )
    facts = _text(
        "Facts and circumstances: (b).",
        'The comment "You are an idiot." came on 22 November 2026 at 21:55 UTC under "Our daily '
        'bread". An automatic check held it for a moderator. This site checks every comment so, '
        f'without anybody having reported it. {_MESSAGE} What weighed most: "idiot".',
    )
    ground = _text(
        "The rule that it rests on; the service knows a site's rules, no laws: (e).",
        "The rules of this site for comments; nobody says that it breaks a law. "
        "The rule: attacks on a person or a group are not published.",
    )
    automated = fields.Nested(AutomatedSchema, required=True)
    objection = _text(
        "How to object, with the site's `objections_to`: (f).",
        "You need not do anything: a moderator will look at it. If you think that this is wrong, "
        f"write to objections@blog.example and name comment {_ID}; a person will read it. You can "
        "also turn to a certified out-of-court dispute settlement body or to a court.",
    )


class StatementSchema(Schema):
    """What to tell the author of a comment."""

    id = fields.String(required=True, metadata={"example": _ID})
    status = fields.String(
        required=True, validate=validate.OneOf(get_args(Status)), metadata={"example": "held"}
    )
    language = fields.String(
        required=True,
        validate=validate.OneOf(sorted(languages())),
        metadata={"description": "Of all its sentences; `Content-Language`, too.", "example": "en"},
    )
    message = _text(
        "For the page or an e-mail; plain text.",
        f"Thank you. A moderator will look at your comment before it is published. {_MESSAGE}",
    )
    reasons = fields.List(
        fields.Nested(AuthorReasonSchema),
        required=True,
        metadata={"description": "Empty for a published comment."},
    )
    statement_of_reasons = fields.Nested(
        StatementOfReasonsSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null for a published comment."},
    )
