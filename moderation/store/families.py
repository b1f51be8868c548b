"""Held comments that are near-copies of each other: a family, decided in one click.

A comment joins when it is recorded, so that reading the queue compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from moderation.store.likeness import BANDS, alike, bands
from moderation.store.stored import Status
from moderation.store.tables import comments, likenesses

_COMPARED = 20
MOST = 1000
"""Members that one click decides on; what is left shows as the next family."""


def _newest(band: int) -> sa.Select[Any]:
    """The newest of a band, by its index: in a campaign of thousands all share all bands."""
    query = sa.select(likenesses.c.comment_id).where(
        likenesses.c.site == sa.bindparam("site"), likenesses.c.band == sa.bindparam(f"band{band}")
    )
    newest = query.order_by(likenesses.c.comment_id.desc()).limit(_COMPARED // BANDS).subquery()
    return sa.select(newest.c.comment_id)


_SHARING = (
    sa.select(comments.c.family, comments.c.content)
    .where(comments.c.id.in_(sa.union(*map(_newest, range(BANDS)))))
    .order_by(comments.c.id.desc())
)


def join(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each row the family of what it is like; the rows by which others will find it."""
    kept: list[dict[str, Any]] = []
    earlier: dict[int, dict[str, Any]] = {}  # of this batch
    for row in rows:
        own = bands(row["content"])
        # a text may leave the same band twice
        asked = {f"band{place}": own[place % len(own)] for place in range(BANDS)}
        found = connection.execute(_SHARING, {"site": row["site"], **asked}).mappings()
        near = [earlier[band] for band in own if band in earlier]
        row["family"] = next(_families(row["content"], [*near, *found]), row["id"])
        earlier |= dict.fromkeys(own, row)
        kept += [{"comment_id": row["id"], "site": row["site"], "band": band} for band in own]
    return kept


def members(
    connection: sa.Connection, site: str, comment_id: str, status: Status, newest: str
) -> list[str]:
    """The ids of the comment's family that have this status and came no later than `newest`."""
    own = sa.select(comments.c.family).where(comments.c.site == site, comments.c.id == comment_id)
    query = sa.select(comments.c.id).where(
        comments.c.site == site,
        comments.c.family == own.scalar_subquery(),
        comments.c.status == status,
        comments.c.id <= newest,
    )
    return list(connection.scalars(query.order_by(comments.c.id.desc()).limit(MOST)))


def _families(content: str, others: Sequence[Any]) -> Iterator[str]:
    texts = {other["content"]: other["family"] for other in others}
    for text, family in [*texts.items()][:_COMPARED]:
        if alike(content, text):
            yield family
