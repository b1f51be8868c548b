"""The tables. Nothing in them is particular to one database.

Whoever changes them changes migrations/ too; tests/test_migrations.py compares the two.
"""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

# What PostgreSQL or UTF-8 cannot hold. One character for one, so that spans stay where they are.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def storable(value: Any) -> Any:
    """The value with every text in it fit for any database."""
    if isinstance(value, str):
        fits = value.isascii() and "\0" not in value  # most do, and this is asked for each
        return value if fits else _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def as_json(value: Any) -> str:
    """As a column of kind Json has it; for what is storable."""
    return _ENCODER.encode(value)


class Text(sa.types.TypeDecorator[str]):
    """Text as any database can hold it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Mend what cannot be stored."""
        return None if value is None else str(storable(value))


class Json(sa.types.TypeDecorator[Any]):
    """JSON in a text column, the same in every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """To text."""
        text = _ENCODER.encode(value)
        fits = "\\u0000" not in text and not _UNSTORABLE.search(text)
        return text if fits else _ENCODER.encode(storable(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From text."""
        return json.loads(value)


# SQLite changes a table only by way of its constraints' names, so that they need some.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
)

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("site", Text, nullable=False),
    # NULL where the backend gave none: then it is unique all the same.
    sa.Column("external_id", Text),
    sa.Column("idempotency_key", Text),
    sa.Column("request_hash", Text, nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.Column("content", Text, nullable=False),
    sa.Column("facts", Json, nullable=False),  # the comment but for its content and the raw IP
    sa.Column("search", Text, nullable=False),  # folded here: databases fold only as they see fit
    sa.Column("text_hash", Text, nullable=False),
    sa.Column("author_hash", Text, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("label", Text),
    sa.Column("reasons", Text, nullable=False),  # ;code;code;
    sa.Column("doubt", sa.Double, nullable=False),  # 1 = the model cannot tell, 0 = it is sure
    sa.Column("promise", sa.Double, nullable=False),
    sa.Column("verdict", Json, nullable=False),
    sa.Column("language", Text, nullable=False),
    sa.Column("model", Text, nullable=False),
    sa.Column("spam", sa.Double, nullable=False),  # the scores, for the figures
    sa.Column("abuse", sa.Double, nullable=False),
    sa.Column("family", Text, nullable=False),  # the same for near-copies: families.py
    sa.UniqueConstraint("site", "external_id"),
    sa.UniqueConstraint("site", "idempotency_key"),
    sa.Index("comments_all", "site", "id"),
    sa.Index("comments_model", "site", "model", "id"),
    sa.Index("comments_queue", "site", "status", "id"),
    sa.Index("comments_doubt", "site", "status", "doubt", "id"),
    sa.Index("comments_text", "site", "text_hash", "received"),
    sa.Index("comments_author", "site", "author_hash", "received"),
    sa.Index("comments_family", "site", "family", "status", "id"),
)

likenesses = sa.Table(  # by which near-copies of held comments find each other
    "likenesses",
    metadata,
    sa.Column("comment_id", Text, sa.ForeignKey("comments.id"), primary_key=True),
    sa.Column("band", sa.BigInteger, primary_key=True),
    sa.Column("site", Text, nullable=False),
    sa.Index("likenesses_band", "site", "band", "comment_id"),
)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("comment_id", Text, sa.ForeignKey("comments.id"), nullable=False, index=True),
    sa.Column("decision", Text, nullable=False),
    sa.Column("label", Text),
    sa.Column("note", Text, nullable=False),
    sa.Column("reviewer", Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("model", Text, nullable=False),  # whose verdict it was a word on
    sa.Column("act", Text, nullable=False, index=True),  # the same for all that one click did
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("digest", Text, nullable=False, unique=True),
    sa.Column("site", Text, nullable=False),
    sa.Column("role", Text, nullable=False),
    sa.Column("name", Text, nullable=False),  # whose it is, for the history
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("revoked", sa.Double),
)

sessions = sa.Table(  # a row for each key that somebody is signed in with
    "sessions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", Text, nullable=False, index=True),
    sa.Column("key_id", Text, sa.ForeignKey("keys.id")),  # NULL: signed in by the one-time link
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("entered", sa.Double, nullable=False),  # of two keys of a site the last counts
)

tries = sa.Table(  # to sign in, of the last minutes
    "tries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("client", Text, nullable=False),  # a keyed hash of the address
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("tries_client", "client", "at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # in the order of what happened
    sa.Column("message_id", Text, nullable=False, unique=True),
    sa.Column("site", Text, nullable=False),
    sa.Column("comment_id", Text, nullable=False, index=True),  # it may be erased by now
    sa.Column("body", Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("due", sa.Double, index=True),  # NULL: given up
    sa.Column("leased", sa.Double, nullable=False),  # until then somebody is sending it
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", Text, nullable=False),
)

trained_models = sa.Table(
    "trained_models",
    metadata,
    sa.Column("version", Text, primary_key=True),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("erased", sa.Integer, nullable=False),  # of its comments, since
)

model_labels = sa.Table(
    "model_labels",
    metadata,
    sa.Column("version", Text, primary_key=True),
    sa.Column("comment_id", Text, primary_key=True, index=True),
)

retrains = sa.Table(
    "retrains",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("started", sa.Double, nullable=False),
    sa.Column("alive", sa.Double, nullable=False),  # when it last gave a sign of life
    sa.Column("finished", sa.Double),
    sa.Column("by", Text, nullable=False),
    sa.Column("labels", sa.Integer, nullable=False),
    sa.Column("step", Text, nullable=False),
    sa.Column("version", Text),  # of the model it made
    sa.Column("report", Text, nullable=False),
    sa.Column("losses", Json, nullable=False),  # where it is worse than the active one
    sa.Column("problem", Text, nullable=False),
)

rates = sa.Table(  # calls of a minute; `who` is a key's id, or a keyed hash of an address
    "rates",
    metadata,
    sa.Column("who", Text, primary_key=True),
    sa.Column("minute", sa.Integer, primary_key=True),
    sa.Column("calls", sa.Integer, nullable=False),
)
