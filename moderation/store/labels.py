"""The moderators' labels in the shape that training reads."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from moderation.store.database import Database
from moderation.store.stored import Stored, from_row
from moderation.store.tables import comments

LABEL_COLUMNS = (
    "text",
    "label",
    "fine_label",
    "author",
    "author_url",
    "article",
    "lang",
    "source",
    "split",
    "weight",
)
_AT_ONCE = 500


def labelled(database: Database, site: str | None) -> Iterator[Stored]:
    """Each labelled comment, oldest first; read in pieces, so that a slow reader of a large export
    holds no transaction open."""
    query = sa.select(comments).where(comments.c.label.is_not(None))
    if site is not None:
        query = query.where(comments.c.site == site)
    last = ""
    while True:
        piece = query.where(comments.c.id > last).order_by(comments.c.id).limit(_AT_ONCE)
        with database.reading() as connection:
            rows = connection.execute(piece).mappings().all()
        for row in rows:
            yield from_row(row)
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1]["id"]


def label_row(stored: Stored) -> dict[str, str]:
    """Its row of the labelled CSV."""
    comment = stored.comment
    return {
        "text": comment.content,
        "label": stored.label or "",
        "fine_label": "",
        "author": comment.author.name,
        "author_url": comment.author.url,
        "article": comment.article.title or comment.article.url,
        "lang": stored.verdict.language.code,
        "source": f"review:{stored.site}",
        "split": "",
        "weight": "1",
    }
