"""A site's figures for Prometheus: those of the page, as gauges that are made when asked for."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from moderation.store.figures import Figures, Outcomes

DAYS = 30


def site_exposition(
    site: str, figures: Figures, promise: float, webhooks: Mapping[str, int]
) -> bytes:
    """The figures of the last DAYS days."""
    registry = CollectorRegistry()

    def gauge(name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"moderation_site_{name}", about, ["site", *labels], registry=registry)

    def outcomes(of: Gauge, found: Outcomes, *labels: str) -> None:
        for outcome in ("upheld", "overturned", "waiting"):
            of.labels(site, *labels, outcome).set(getattr(found, outcome))

    gauge("comments", "Comments in 30 days.").labels(site).set(figures.total.comments)
    gauge("missed", "Published and rejected later.").labels(site).set(figures.total.missed)
    outcomes(gauge("holds", "Holds in 30 days, by outcome.", "outcome"), figures.total)
    reasons = gauge("reasons", "Holds by reason and outcome.", "reason", "outcome")
    for code, found in figures.reasons.items():
        outcomes(reasons, found, code)
    languages = gauge("languages", "Comments by language.", "language")
    for language, found in figures.languages.items():
        languages.labels(site, language).set(found.comments)
    gauge("promise", "Share of honest comments that may be held.").labels(site).set(promise)
    share = figures.false_holds
    if share.interval:
        rate = gauge("false_holds", "Share of honest comments held, and its interval.", "bound")
        for bound, value in zip(("low", "high"), share.interval, strict=True):
            rate.labels(site, bound).set(value)
        rate.labels(site, "measured").set(share.value or 0)
    moved = gauge("score_stability", "Population stability index of scores.", "score")
    for drift in figures.drifts:
        if (index := drift.index) is not None:
            moved.labels(site, drift.head).set(index)
    messages = gauge("webhooks", "Messages not delivered.", "state")
    for state, count in webhooks.items():
        messages.labels(site, state).set(count)
    return generate_latest(registry)
