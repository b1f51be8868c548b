"""What the native API takes and gives. Requests are read by these; the OpenAPI comes from all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, post_load, validate

from moderation.store.queue import Order
from moderation.store.stored import Label, Status
from moderation.verdict import REASON_CODES, Article, Author, Comment, Form

MAX_CONTENT = 65_536
MAX_BATCH = 1_000
MAX_PAGE = 200
# Far above what honest forms send, and low enough for an index or a log line.
_NAME, _URL, _ARTICLE = 1_000, 8_192, 524_288


class Text(fields.String):
    """A text that every database and page can hold."""

    default_error_messages = {  # noqa: RUF012  # marshmallow merges it, nobody changes it
        "nul": "Holds a NUL character (\\u0000); leave it out.",
        "surrogate": "Holds half a character (a lone surrogate, \\ud800 to \\udfff); "
        "send both halves or none.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise self.make_error("nul")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.make_error("surrogate") from error
        return text


class Flag(fields.Boolean):
    """true or false; marshmallow's own field takes 1 and "yes" too, and 1 equals true."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A JSON number; marshmallow's own field takes "12.5" and true too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        number: float = super()._deserialize(value, attr, data, **kwargs)
        return number


class Object(Schema):
    """A JSON object whose errors say how to mend them."""

    error_messages = {  # noqa: RUF012  # as marshmallow has it
        "type": 'Send a JSON object, as {"name": "value"}.',
        "unknown": "There is no such field; leave it out, or see /docs for the right name.",
    }


def _optional(longest: int, description: str, example: str = "") -> Text:
    return Text(
        allow_none=True,
        validate=validate.Length(max=longest),
        metadata={"description": description, "example": example},
    )


def _given(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without the nulls: a backend that sends null where it knows nothing means just that."""
    return {name: value for name, value in data.items() if value is not None}


class AuthorSchema(Object):
    """Who wrote it. Whatever is known helps; nothing is required."""

    name = _optional(_NAME, "As shown on the page.", "Ann")
    email = _optional(_NAME, "Tells authors apart for the flood rule.", "ann@example.com")
    url = _optional(_URL, "The author's website.", "https://ann.example")
    ip = _optional(
        _NAME, "Tells authors apart for the flood rule; never stored as it is.", "203.0.113.7"
    )
    user_agent = _optional(_URL, "Of the author's browser.", "Mozilla/5.0")
    id = _optional(
        _NAME, "Of the author in the blog; the surest way to tell authors apart.", "user-7"
    )
    trusted = Flag(
        allow_none=True,
        metadata={"description": "Lifts the rate and link rules, but no others."},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Author:
        return Author(**_given(data))


class ArticleSchema(Object):
    """What the comment stands under."""

    url = _optional(_URL, "Its address.", "https://blog.example/bread")
    title = _optional(_URL, "Its title.", "Our daily bread")
    text = _optional(_ARTICLE, "Its text, without markup.")
    published_at = _optional(_NAME, "When it was published, ISO 8601.", "2026-01-02T03:04:05Z")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Article:
        return Article(**_given(data))


class FormSchema(Object):
    """Signals of the comment form."""

    honeypot = _optional(MAX_CONTENT, "Value of a field that people cannot see.")
    seconds = Number(
        allow_none=True,
        validate=validate.Range(min=0),
        metadata={
            "description": "From showing the form to sending it.",
            "example": 12.5,
        },
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Form:
        return Form(**_given(data))


class CommentSchema(Object):
    """A reader's comment. Only `content` is required; null means "not known"."""

    content = Text(
        required=True,
        validate=validate.Length(1, MAX_CONTENT),
        metadata={
            "description": "As typed: plain text, with or without HTML.",
            "example": "Great read! Which flour do you use?",
        },
    )
    author = fields.Nested(AuthorSchema, allow_none=True)
    article = fields.Nested(ArticleSchema, allow_none=True)
    parent = _optional(MAX_CONTENT, "Text of the comment that is being answered.")
    form = fields.Nested(FormSchema, allow_none=True)
    external_id = _optional(
        256,
        "The backend's own id. Sent again, it gets the first verdict again, so put the number of "
        "the edit into it.",
        "comment-123-edit-0",
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Comment:
        return Comment(**_given(data))

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Read a comment; one that is as it should be, in a fifth of the time."""
        return _plain_comment(data) or super().load(data, **kwargs)


def _texts(schema: type[Schema]) -> dict[str, int]:
    """How long each text of it may be."""
    return {
        name: check.max or 0
        for name, field in schema().fields.items()
        if isinstance(field, Text)
        for check in field.validators
        if isinstance(check, validate.Length)
    }


_OF_COMMENT = _texts(CommentSchema)
_PARTS: dict[str, tuple[type, dict[str, int]]] = {
    "author": (Author, _texts(AuthorSchema)),
    "article": (Article, _texts(ArticleSchema)),
    "form": (Form, _texts(FormSchema)),
}


def _plain_comment(data: Any) -> Comment | None:
    """The comment of an object that holds nothing but texts; None where marshmallow must look."""
    if type(data) is not dict or not data.get("content"):
        return None
    given: dict[str, Any] = {}
    for name, value in data.items():
        if name in _PARTS and type(value) is dict:
            kind, texts = _PARTS[name]
            if not all(_is_plain(texts, *item) for item in value.items()):
                return None
            given[name] = kind(**value)
        elif _is_plain(_OF_COMMENT, name, value):
            given[name] = value
        else:
            return None
    return Comment(**given)


def _is_plain(texts: Mapping[str, int], name: str, value: Any) -> bool:
    if type(value) is not str or len(value) > texts.get(name, -1):
        return False
    # half a character is no printable one
    return "\0" not in value if value.isascii() else value.replace("\n", "").isprintable()


class BatchSchema(Object):
    """Comments of one site."""

    # Each is read by CommentSchema on its own: one bad comment does not spoil the others.
    comments = fields.List(
        fields.Raw(allow_none=True, metadata={"allOf": [{"$ref": "#/components/schemas/Comment"}]}),
        required=True,
        validate=validate.Length(max=MAX_BATCH),
    )


class ReviewSchema(Object):
    """A moderator's word. The last one counts."""

    decision = fields.String(required=True, validate=validate.OneOf(["publish", "reject"]))
    label = fields.String(
        allow_none=True,
        load_default=None,
        validate=validate.OneOf(get_args(Label)),
        metadata={"description": "What to learn from it; null acts without learning."},
    )
    note = _optional(10_000, "For other moderators.")
    seen = fields.Integer(
        strict=True,
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Id of the last review that you saw, 0 for none: if another came since, "
            "409, and nothing is changed."
        },
    )


class ErasedAuthorSchema(Object):
    """Whose comments to erase: one of these facts, as the comments were sent with it."""

    id = _optional(_NAME, "Of the author in the blog.", "user-7")
    email = _optional(_NAME, "Whatever its case.", "ann@example.com")
    name = _optional(_NAME, "Whatever its case; others may have the same.", "Ann")
    ip = _optional(_NAME, "Finds those of whom neither id nor e-mail was sent.", "203.0.113.7")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Author:
        given = {name: value.strip() for name, value in _given(data).items() if value.strip()}
        if len(given) != 1:
            raise ValidationError("Give one of id, email, name and ip.")
        return Author(**given)


class RecordQuery(Object):
    """Whether the comment is kept."""

    record = fields.Boolean(
        load_default=True,
        metadata={"description": "false: judged, nothing stored."},
    )


class QueueQuery(Object):
    """Which comments, in which order."""

    status = fields.String(validate=validate.OneOf(get_args(Status)))
    reason = fields.String(validate=validate.OneOf([*REASON_CODES]))
    order = fields.String(
        load_default="newest",
        validate=validate.OneOf(get_args(Order)),
        metadata={"description": "`uncertain` begins where the model is least sure."},
    )
    q = Text(
        load_default="",
        validate=validate.Length(max=_NAME),
        metadata={"description": "Text in content or author."},
    )
    language = Text(
        validate=validate.Length(max=8), metadata={"description": "ISO 639 code, or `und`."}
    )
    author = Text(metadata={"description": "Id of a comment: those of the same author."})
    like = Text(metadata={"description": "Id of a held comment: itself and its near-copies."})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_PAGE))
    cursor = Text(metadata={"description": "`next` of the page before."})
