"""Webhooks that wait or were given up, as a page."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from moderation.endpoint import service
from moderation.review.pages import Answer, chosen_sites, page, page_blueprint
from moderation.store.sessions import Session

webhooks_page = page_blueprint("webhooks_page")


@page(webhooks_page, "GET /review/webhooks", role="admin", nav="Webhooks")
def show_webhooks(session: Session) -> Answer:
    """What the sites were not told yet."""
    sites = chosen_sites(session, request.args.get("site"), "admin")
    return render_template("webhooks.html", sites=[_of(site) for site in sites])


@page(webhooks_page, "POST /review/webhooks/retry", role="admin")
def retry_webhook(session: Session) -> Answer:
    """Send a dead letter of a site again; all of them where none is named."""
    for site in chosen_sites(session, request.form.get("site"), "admin"):
        service().store.outbox.retry(site, request.form.get("message") or None)
    return redirect(url_for("webhooks_page.show_webhooks"), 303)


def _of(site: str) -> dict[str, Any]:
    outbox = service().store.outbox
    waiting, dead = outbox.counts(site)
    return {
        "name": site,
        "url": service().settings.policy(site).webhook_url,
        "waiting": waiting,
        "dead": dead,
        "waiting_messages": outbox.listed(site, dead=False),
        "dead_messages": outbox.listed(site, dead=True),
    }
