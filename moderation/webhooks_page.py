"""Webhooks that wait or were given up, as a page."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for

from moderation.auth import Caller
from moderation.endpoint import service
from moderation.pages import Answer, page, page_blueprint

webhooks_page = page_blueprint("webhooks_page")


@page(webhooks_page, "GET /review/webhooks", role="admin", nav="Webhooks")
def show_webhooks(caller: Caller) -> Answer:
    """What this site was not told yet."""
    outbox = service().store.outbox
    waiting, dead = outbox.counts(caller.site)
    return render_template(
        "webhooks.html",
        url=service().settings.policy(caller.site).webhook_url,
        waiting=waiting,
        dead=dead,
        waiting_messages=outbox.listed(caller.site, dead=False),
        dead_messages=outbox.listed(caller.site, dead=True),
    )


@page(webhooks_page, "POST /review/webhooks/retry", role="admin")
def retry_webhook(caller: Caller) -> Answer:
    """Send a dead letter again; all of them where none is named."""
    service().store.outbox.retry(caller.site, request.form.get("message") or None)
    return redirect(url_for("webhooks_page.show_webhooks"), 303)
