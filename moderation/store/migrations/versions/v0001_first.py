"""The first tables."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    meta = op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.bulk_insert(
        meta,
        [
            {"name": "secret", "value": secrets.token_hex(32)},
            {"name": "ping", "value": ""},
            {"name": "erased_old", "value": ""},
        ],
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("received", sa.Double, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        sa.Column("author_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("doubt", sa.Double, nullable=False),
        sa.Column("promise", sa.Double, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("spam", sa.Double, nullable=False),
        sa.Column("abuse", sa.Double, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.UniqueConstraint("site", "external_id"),
        sa.UniqueConstraint("site", "idempotency_key"),
    )
    op.create_index("comments_all", "comments", ["site", "id"])
    op.create_index("comments_model", "comments", ["site", "model", "id"])
    op.create_index("comments_queue", "comments", ["site", "status", "id"])
    op.create_index("comments_doubt", "comments", ["site", "status", "doubt", "id"])
    op.create_index("comments_text", "comments", ["site", "text_hash", "received"])
    op.create_index("comments_author", "comments", ["site", "author_hash", "received"])
    op.create_index("comments_family", "comments", ["site", "family", "status", "id"])
    op.create_table(
        "likenesses",
        sa.Column("comment_id", sa.Text, sa.ForeignKey("comments.id"), primary_key=True),
        sa.Column("band", sa.BigInteger, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
    )
    op.create_index("likenesses_band", "likenesses", ["site", "band", "comment_id"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("comment_id", sa.Text, sa.ForeignKey("comments.id"), nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
    )
    op.create_index("ix_reviews_comment_id", "reviews", ["comment_id"])
    op.create_index("ix_reviews_act", "reviews", ["act"])
    op.create_table(
        "keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, sa.ForeignKey("keys.id")),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("entered", sa.Double, nullable=False),
    )
    op.create_index("ix_sessions_digest", "sessions", ["digest"])
    op.create_table(
        "tries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("tries_client", "tries", ["client", "at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("comment_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("due", sa.Double),
        sa.Column("leased", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_index("ix_outbox_comment_id", "outbox", ["comment_id"])
    op.create_index("ix_outbox_due", "outbox", ["due"])
    op.create_table(
        "trained_models",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("erased", sa.Integer, nullable=False),
    )
    op.create_table(
        "model_labels",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("comment_id", sa.Text, primary_key=True),
    )
    op.create_index("ix_model_labels_comment_id", "model_labels", ["comment_id"])
    op.create_table(
        "retrains",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("alive", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("labels", sa.Integer, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("losses", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table(
        "rates",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True),
        sa.Column("calls", sa.Integer, nullable=False),
    )
