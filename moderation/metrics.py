"""Figures for Prometheus. With PROMETHEUS_MULTIPROC_DIR set (`serve` does it for more than one
worker), every worker answers for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from moderation.verdict import Verdict

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Most comments take a few milliseconds; blogs wait for one or two seconds at most.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """What one process counts. No label holds anything that a caller can choose freely."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each figure that nobody asked for
        self._registry = CollectorRegistry()
        self._verdicts = Counter(
            "moderation_verdicts",
            "Comments judged.",
            ["decision", "model"],
            registry=self._registry,
        )
        self._reasons = Counter(
            "moderation_reasons",
            "Reasons of held comments; one comment may have several.",
            ["reason"],
            registry=self._registry,
        )
        self._degraded = Counter(
            "moderation_degraded",
            "Comments judged while a part of the service failed.",
            registry=self._registry,
        )
        self._second_opinions = Counter(
            "moderation_second_opinions",
            "Comments that the second opinion had a word in.",
            registry=self._registry,
        )
        self._seconds = Histogram(
            "moderation_request_seconds",
            "Time from a request's arrival to its answer.",
            ["call", "status"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        # finding a label's counter takes as long as counting
        self._verdict, self._reason = cache(self._verdicts.labels), cache(self._reasons.labels)
        self._call = cache(self._seconds.labels)

    def count(self, verdicts: Iterable[Verdict]) -> None:
        """Count new verdicts."""
        for verdict in verdicts:
            self._verdict(verdict.decision, verdict.model).inc()
            for finding in verdict.reasons:
                self._reason(finding.code).inc()
            if verdict.degraded:
                self._degraded.inc()
            if verdict.second_opinion:
                self._second_opinions.inc()

    def observe(self, call: str, status: int, seconds: float) -> None:
        """Count an answered request; `call` is the route's name, never its path."""
        self._call(call, f"{status // 100}xx").observe(seconds)

    def exposition(self, model: str) -> bytes:
        """All figures, and the model that is active now."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            everyone = CollectorRegistry()
            MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # it is not annotated
            return generate_latest(everyone) + _model_info(model)
        return generate_latest(self._registry) + _model_info(model)


def _model_info(version: str) -> bytes:
    # Not kept among the others: after a switch, workers would go on to tell the old one.
    registry = CollectorRegistry()
    info = Gauge("moderation_model_info", "The active model.", ["version"], registry=registry)
    info.labels(version).set(1)
    return generate_latest(registry)
