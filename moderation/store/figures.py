"""What a site can know of its moderation: holds, what moderators overturned, reasons, drift.

Only what was held is looked at by people. So it is measured how many holds were mistakes; how much
spam and abuse was published is not, but for what somebody rejected later.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderation import drift
from moderation.store.database import Database
from moderation.store.tables import comments

JUDGED = ("spam", "abuse")
"""Reasons that the site's promise is about."""

_COMPARED = 1_000
_DAY = 86400
_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `total`, with Wilson's 95 % interval (1927); None of nothing."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share is, with a confidence of 95 %."""
        if not self.total:
            return None
        n, p = self.total, self.count / self.total
        scale = 1 + _Z**2 / n
        middle = (p + _Z**2 / (2 * n)) / scale
        half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / scale
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Comments, and what became of them. `upheld`, `overturned` and `waiting` are the held ones;
    `missed` were published and rejected later."""

    comments: int = 0
    upheld: int = 0
    overturned: int = 0
    waiting: int = 0
    missed: int = 0

    @property
    def held(self) -> int:
        """All that were held."""
        return self.upheld + self.overturned + self.waiting

    @property
    def honest(self) -> int:
        """Those of which nobody said that they are not: published, or held by mistake."""
        return self.comments - self.held - self.missed + self.overturned

    def __add__(self, other: Outcomes) -> Outcomes:
        """Both together."""
        return Outcomes(
            self.comments + other.comments,
            self.upheld + other.upheld,
            self.overturned + other.overturned,
            self.waiting + other.waiting,
            self.missed + other.missed,
        )


@dataclass(frozen=True, slots=True)
class Drift:
    """Scores of the newest comments against `reference`: "training", or "first" for the first
    ones that this model judged here."""

    head: str
    reference: str
    before: tuple[int, ...]
    now: tuple[int, ...]

    @property
    def index(self) -> float | None:
        """The population stability index."""
        return drift.stability_index(self.before, self.now)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some sites, over some days up to now."""

    days: Mapping[date, Outcomes]
    total: Outcomes
    by_model: Outcomes
    """Of those held for what the promise is about."""
    reasons: Mapping[str, Outcomes]
    languages: Mapping[str, Outcomes]
    drifts: tuple[Drift, ...]
    sites: Mapping[str, Share]
    """The share of honest comments that the model held, on each site: what its promise promises."""

    @property
    def false_holds(self) -> Share:
        """The same on all of them."""
        return Share(self.by_model.overturned, self.total.honest)

    @property
    def overturned(self) -> Share:
        """The share of the reviewed holds, for whatever reason, that moderators published."""
        return Share(self.total.overturned, self.total.overturned + self.total.upheld)


class SiteFigures:
    """The figures of one database's sites."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(
        self, sites: Sequence[str], days: int, model: str, manifest: Mapping[str, Any]
    ) -> Figures:
        """The last `days` days, today included, and the scores by this model."""
        today = datetime.fromtimestamp(time.time(), UTC).date()
        first = today - timedelta(days=days - 1)
        groups = self._grouped(sites, first)

        def summed(key: Callable[[sa.Row[Any]], Iterable[Any]]) -> dict[Any, Outcomes]:
            found: dict[Any, Outcomes] = {}
            for row in groups:
                for name in key(row):
                    found[name] = found.get(name, Outcomes()) + _outcomes(row)
            return found

        by_day = summed(lambda row: [first + timedelta(days=min(max(row.day, 0), days - 1))])
        dates = [first + timedelta(days=place) for place in range(days)]
        of_sites = summed(lambda row: [row.site])
        of_model = summed(lambda row: [row.site] if {*_codes(row.reasons)} & {*JUDGED} else [])
        held = {site: of_model.get(site, Outcomes()).overturned for site in sites}
        return Figures(
            days={day: by_day.get(day, Outcomes()) for day in dates},
            total=sum(map(_outcomes, groups), Outcomes()),
            by_model=sum(of_model.values(), Outcomes()),
            reasons=_largest(summed(lambda row: _codes(row.reasons))),
            languages=_largest(summed(lambda row: [row.language])),
            drifts=tuple(self._drift(sites, head, model, manifest) for head in JUDGED),
            sites={
                site: Share(held[site], of_sites.get(site, Outcomes()).honest) for site in sites
            },
        )

    def _grouped(self, sites: Sequence[str], first: date) -> Sequence[sa.Row[Any]]:
        start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
        day = (sa.cast(comments.c.received, sa.BigInteger) - start) // _DAY
        query = sa.select(
            day.label("day"),
            comments.c.site,
            comments.c.reasons,
            comments.c.status,
            comments.c.language,
            sa.func.count().label("number"),
        ).where(
            comments.c.site.in_(sites),
            comments.c.id >= f"{start * 1000:012x}",  # ids begin with the milliseconds
            comments.c.received >= start,
        )
        grouped = query.group_by(
            "day", comments.c.site, comments.c.reasons, comments.c.status, comments.c.language
        )
        with self._database.reading() as connection:
            return connection.execute(grouped).all()

    def _drift(
        self, sites: Sequence[str], head: str, model: str, manifest: Mapping[str, Any]
    ) -> Drift:
        scores = sa.select(comments.c.id, comments.c[head]).where(comments.c.model == model)

        def ends(connection: sa.Connection, *, newest: bool) -> dict[str, float]:
            order = comments.c.id.desc() if newest else comments.c.id.asc()
            rows = (  # each site's by the index, as in queue.py
                tuple(row)
                for site in sites
                for row in connection.execute(
                    scores.where(comments.c.site == site).order_by(order).limit(_COMPARED)
                )
            )
            return dict(sorted(rows, reverse=newest)[:_COMPARED])

        with self._database.reading() as connection:
            now = ends(connection, newest=True)
            if trained := _of_training(manifest, head):
                return Drift(head, "training", trained, tuple(drift.counted(now.values())))
            first = ends(connection, newest=False)
        since = [score for own, score in now.items() if own not in first]
        return Drift(
            head, "first", tuple(drift.counted(first.values())), tuple(drift.counted(since))
        )


def _of_training(manifest: Mapping[str, Any], head: str) -> tuple[int, ...]:
    """What training wrote, if it counted in the same bins."""
    written = manifest.get("scores") or {}
    return tuple(written[head]) if written.get("edges") == list(drift.EDGES) else ()


def _outcomes(row: sa.Row[Any]) -> Outcomes:
    held = row.reasons != ";"
    return Outcomes(
        comments=row.number,
        upheld=row.number if held and row.status == "rejected" else 0,
        overturned=row.number if held and row.status == "published" else 0,
        waiting=row.number if held and row.status == "held" else 0,
        missed=row.number if not held and row.status == "rejected" else 0,
    )


def _codes(reasons: str) -> list[str]:
    return [code for code in reasons.split(";") if code]


def _largest(found: Mapping[str, Outcomes]) -> dict[str, Outcomes]:
    order = Counter({name: outcomes.comments for name, outcomes in found.items()})
    return {name: found[name] for name, _ in order.most_common()}
