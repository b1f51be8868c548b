"""The figures, as a page: holds against the promise, what was overturned, drift, reasons."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from moderation import drift
from moderation.endpoint import service
from moderation.review.pages import Answer, chosen_sites, page, page_blueprint
from moderation.review.plots import Bar, Plot, bars
from moderation.store.figures import Drift, Figures, Share
from moderation.store.sessions import Session
from moderation.verdict import REASON_CODES

figures_page = page_blueprint("figures_page")

PERIODS = (7, 30, 90, 365)
_SMALL, _LARGE = 0.1, 0.25  # the customary bounds of the stability index


@page(figures_page, "GET /review/figures", role="moderate", nav="Figures")
def show_figures(session: Session) -> Answer:
    """The figures of a site, or of all, over some days."""
    here, sites = service(), chosen_sites(session, request.args.get("site"))
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(period) for period in PERIODS} else 30
    model = here.shelf.active()
    figures = here.store.figures.of(sites, days, model.version, model.manifest)
    promises = {site: here.settings.policy(site).promise for site in sites}
    return render_template(
        "figures.html",
        days=days,
        periods=PERIODS,
        figures=figures,
        site=sites[0] if request.args.get("site") else None,
        promises=promises,
        promise=promises[sites[0]] if len(sites) == 1 else None,
        kept={site: _kept(share, promises[site]) for site, share in figures.sites.items()},
        model=model.version,
        holds=_holds(figures),
        drifts=[(one, _moved(one), _scores(one)) for one in figures.drifts],
        bins=drift.bins(),
        reason_meanings=REASON_CODES,
        percent=percent,
    )


def percent(value: float | None) -> str:
    """A share as people read it."""
    if value is None:
        return "–"
    return f"{value * 100:.{1 if value >= 0.1 else 2}f} %"


def _kept(share: Share, promise: float) -> str:
    if share.interval is None:
        return "unknown"
    low, high = share.interval
    return "broken" if low > promise else "kept" if high <= promise else "unsure"


def _holds(figures: Figures) -> Plot:
    """Each day's holds, by what became of them."""
    groups = [
        (
            f"{day:%d %b}",
            [
                Bar(kind, value, f"{day:%Y-%m-%d}: {value} {kind}")
                for kind in ("upheld", "overturned", "waiting")
                if (value := getattr(outcomes, kind))
            ],
        )
        for day, outcomes in figures.days.items()
    ]
    return bars(groups, stacked=True, names=5)


def _scores(moved: Drift) -> Plot:
    """Shares of the comments in each bin, before and now."""
    sides: list[tuple[str, Any]] = [("before", moved.before), ("now", moved.now)]
    groups = [
        (
            name.partition(" ")[0],
            [
                Bar(side, share, f"{name}: {percent(share)} {side}")
                for side, counts in sides
                for share in [counts[place] / max(1, sum(counts))]
            ],
        )
        for place, name in enumerate(drift.bins())
    ]
    return bars(groups, stacked=False, names=9, percent=True)


def _moved(moved: Drift) -> str:
    index = moved.index
    if index is None:
        return "unknown"
    return "no" if index < _SMALL else "some" if index <= _LARGE else "much"
