"""What the native API answers, as schemas for the OpenAPI document; answers.py keeps to them."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from moderation.api.schemas import ArticleSchema, AuthorSchema
from moderation.store.stored import Label, ReviewDecision, Status
from moderation.verdict import REASON_CODES, Decision

REASONS = "\n".join(["A closed list:", "", *(f"- `{c}`: {m}" for c, m in REASON_CODES.items())])


class SpanSchema(Schema):
    """Characters of the content as it was sent, and what they added to the score's log-odds."""

    start = fields.Integer(required=True, metadata={"example": 4})
    end = fields.Integer(required=True, metadata={"description": "Exclusive.", "example": 15})
    text = fields.String(required=True, metadata={"example": "cheap pills"})
    weight = fields.Float(required=True, metadata={"example": 1.8})


class ReasonSchema(Schema):
    """Why a comment is held."""

    code = fields.String(
        required=True,
        validate=validate.OneOf([*REASON_CODES]),
        metadata={"description": REASONS},
    )
    score = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Null for a plain fact.", "example": 0.97},
    )
    message = fields.String(
        required=True,
        metadata={"example": 'Reads like advertising: "cheap pills".'},
    )
    spans = fields.List(fields.Nested(SpanSchema), required=True)


class ChangeSchema(Schema):
    """One kind of thing that the HTML policy did, and how often."""

    what = fields.String(
        required=True, validate=validate.OneOf(("tag", "attribute", "url", "text"))
    )
    name = fields.String(required=True)
    action = fields.String(
        required=True,
        validate=validate.OneOf(("escaped", "removed", "closed", "added")),
    )
    count = fields.Integer(required=True)


class LanguageSchema(Schema):
    """The text's language, and whether the model was trained to judge it."""

    code = fields.String(required=True, metadata={"description": "ISO 639, or `und`."})
    evaluated = fields.Boolean(required=True)


class VerdictSchema(Schema):
    """What the service says of a comment."""

    id = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Of the recorded comment; null where nothing was recorded.",
            "example": "01a204b9990877c2854ff2dce55fbba6",
        },
    )
    decision = fields.String(
        required=True,
        validate=validate.OneOf(get_args(Decision)),
        metadata={"example": "hold"},
    )
    reasons = fields.List(
        fields.Nested(ReasonSchema),
        required=True,
        metadata={"description": "Empty for a comment to publish."},
    )
    scores = fields.Dict(
        fields.String(),
        fields.Float(validate=validate.Range(0, 1)),
        required=True,
        metadata={
            "description": "Calibrated probabilities; `spam` and `abuse` are always there.",
            "example": {"spam": 0.97, "abuse": 0.01},
        },
    )
    html = fields.String(
        required=True,
        metadata={"description": "Sanitised: safe to insert into a page as it is."},
    )
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    language = fields.Nested(LanguageSchema, required=True)
    degraded = fields.Boolean(
        required=True,
        metadata={"description": "A part of the service failed; the rest judged all the same."},
    )
    model = fields.String(
        required=True,
        metadata={"description": "The model's version.", "example": "2026-11-22"},
    )
    second_opinion = fields.Boolean(
        required=True,
        metadata={"description": "The model was uncertain, and the sentence encoder was asked."},
    )


class ProblemSchema(Schema):
    """RFC 9457. The one shape of all errors."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(
        fields.String(),
        fields.List(fields.String()),
        required=True,
        metadata={
            "description": "What is wrong with which field; empty where it is not about fields.",
            "example": {"author.url": ["Not a valid string."]},
        },
    )


class VerdictsSchema(Schema):
    """A verdict on each comment in the same order; for one that cannot be read, a problem."""

    verdicts = fields.List(
        fields.Raw(
            metadata={
                "oneOf": [
                    {"$ref": "#/components/schemas/Verdict"},
                    {"$ref": "#/components/schemas/Problem"},
                ]
            }
        ),
        required=True,
    )


class ReviewOfRecordSchema(Schema):
    """A review as it was given."""

    id = fields.Integer(required=True)
    decision = fields.String(
        required=True,
        validate=validate.OneOf(get_args(ReviewDecision)),
        metadata={"description": "`undo` took back the review before it."},
    )
    label = fields.String(required=True, allow_none=True, validate=validate.OneOf(get_args(Label)))
    note = fields.String(required=True)
    by = fields.String(required=True, metadata={"description": "Id of the moderator's key."})
    at = fields.String(required=True, metadata={"format": "date-time"})
    model = fields.String(
        required=True, metadata={"description": "Whose verdict it was a word on."}
    )
    act = fields.String(
        required=True, metadata={"description": "The same for all that one click decided."}
    )


class RecordSchema(Schema):
    """A recorded comment."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(get_args(Status)))
    received = fields.String(required=True, metadata={"format": "date-time"})
    content = fields.String(required=True)
    author = fields.Nested(
        AuthorSchema,
        required=True,
        metadata={"description": "`ip` is always empty: addresses are never stored."},
    )
    article = fields.Nested(ArticleSchema, required=True)
    parent = fields.String(required=True)
    external_id = fields.String(required=True)
    label = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(get_args(Label)),
        metadata={"description": "Of the last review."},
    )
    verdict = fields.Nested(VerdictSchema, required=True)
    reviews = fields.List(
        fields.Nested(ReviewOfRecordSchema),
        required=True,
        metadata={"description": "Oldest first; left empty in a listing."},
    )


class QueueSchema(Schema):
    """A page of the queue."""

    comments = fields.List(fields.Nested(RecordSchema), required=True)
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Cursor of the next page; null on the last."},
    )


class ErasedSchema(Schema):
    """What was erased."""

    erased = fields.Integer(required=True, metadata={"description": "Comments.", "example": 3})
