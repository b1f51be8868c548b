"""How many comments were judged and held in a time, and how often moderators thought otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderation.store.tables import comments


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one period. `missed` were published by the verdict and rejected by a moderator,
    `mistaken` were held and published."""

    judged: int = 0
    held: int = 0
    missed: int = 0
    mistaken: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Both periods together."""
        return Tally(
            self.judged + other.judged,
            self.held + other.held,
            self.missed + other.missed,
            self.mistaken + other.mistaken,
        )

    @property
    def right(self) -> float:
        """The share of verdicts that no moderator overruled."""
        return 1 - (self.missed + self.mistaken) / self.judged if self.judged else 1.0


def tally(connection: sa.Connection, site: str, starts: Sequence[datetime]) -> list[Tally]:
    """One for each of the periods that begin so, oldest first; the last is not over."""
    seconds = [start.timestamp() for start in starts]
    later = seconds[1:]
    period: sa.ColumnElement[int] = sa.literal_column("0")
    if later:
        earlier = ((comments.c.received < end, place) for place, end in enumerate(later))
        period = sa.case(*earlier, else_=len(later))
    held = comments.c.reasons != ";"  # of a published comment there is none
    # Ids begin with the milliseconds: unlike `received` they have an index.
    first_id = f"{max(0, int(seconds[0] - 1)) * 1000:012x}"
    query = (
        sa.select(period.label("period"), held.label("held"), comments.c.status, sa.func.count())
        .where(
            comments.c.site == site,
            comments.c.id >= first_id,
            comments.c.received >= seconds[0],
        )
        .group_by("period", "held", comments.c.status)
    )
    counts = [Tally()] * len(starts)
    for place, was_held, status, count in connection.execute(query).all():
        counts[place] += Tally(
            judged=count,
            held=count if was_held else 0,
            missed=0 if was_held or status != "rejected" else count,
            mistaken=count if was_held and status == "published" else 0,
        )
    return counts
