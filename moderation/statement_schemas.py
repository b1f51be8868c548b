"""What the native API tells the author of a comment, as schemas for the OpenAPI document."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from moderation.stored import Status
from moderation.verdict import REASON_CODES


def _sentence(description: str, example: str) -> fields.String:
    return fields.String(required=True, metadata={"description": description, "example": example})


class AuthorReasonSchema(Schema):
    """A reason as it is put to the author: no score, no limit."""

    code = fields.String(required=True, validate=validate.OneOf([*REASON_CODES]))
    message = fields.String(
        required=True,
        metadata={
            "example": "To our automatic check it reads like an attack on a person or a group."
        },
    )


class AutomatedSchema(Schema):
    """Whether automated means were used, Article 17(3)(c)."""

    detection = fields.Boolean(required=True, metadata={"description": "To find the comment."})
    decision = fields.Boolean(
        required=True, metadata={"description": "To decide about it; false once a person did."}
    )
    explanation = fields.String(required=True)


class StatementOfReasonsSchema(Schema):
    """In the shape of Article 17(3) of the EU's Digital Services Act, in sentences."""

    restriction = _sentence(
        "What was decided, for how long, and what it concerns: (a).",
        "The comment is not shown to readers, until a moderator has decided about it. "
        "It concerns this comment only.",
    )
    facts = fields.String(required=True, metadata={"description": "Facts and circumstances: (b)."})
    ground = _sentence(
        "The rule that it rests on; the service knows a site's rules, no laws: (e).",
        "The rules of this site for comments; nobody says that it is against a law. "
        "The rule: attacks on a person or a group are not published.",
    )
    automated = fields.Nested(AutomatedSchema, required=True)
    objection = fields.String(
        required=True,
        metadata={"description": "How to object, with the site's `objections_to`: (f)."},
    )


class StatementSchema(Schema):
    """What to tell the author of a comment."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(get_args(Status)))
    message = _sentence(
        "For the page or an e-mail; plain text.",
        "Thank you. A moderator will look at your comment before it is published. "
        "To our automatic check it reads like an attack on a person or a group.",
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
