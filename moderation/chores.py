"""What a worker does beside answering requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from moderation.service import Service
from moderation.webhooks import deliver_due

log = logging.getLogger(__name__)

_HOUR, _DAY = 3600.0, 86400.0
_WEBHOOKS = 1.0  # seconds between two looks at the outbox


def begin(service: Service) -> None:
    """Start all of it, in the background."""
    every(_HOUR, lambda: erase_what_is_old(service))
    if any(policy.webhook_url for policy in service.settings.policies.values()):
        every(_WEBHOOKS, lambda: deliver_due(service.store.outbox, service.settings))


def every(seconds: float, work: Callable[[], object]) -> None:
    """Do it now and again. What goes wrong is a line in the log, and tried again."""

    def run() -> None:
        while True:
            try:
                work()
            except Exception as error:  # a thread that has ended would do nothing, and say nothing
                log.error("in the background: %s: %s", type(error).__name__, error)
            time.sleep(seconds)

    threading.Thread(target=run, daemon=True).start()


def erase_what_is_old(service: Service) -> None:
    """Keep to `retention_days`: once a day, by the worker that asks first."""
    if not service.store.my_turn("erased_old", _DAY):
        return
    try:
        for site in service.store.sites():
            days = service.settings.policy(site).retention_days
            if erased := service.store.erasing.old(site, days):
                log.info("site %s: erased %d comments older than %d days", site, erased, days)
    except Exception:
        service.store.not_done("erased_old")  # so that it is tried within the hour
        raise
