"""The moderators' queue, as a page."""

from __future__ import annotations

from flask import render_template

from moderation.auth import Caller
from moderation.pages import Answer, page, page_blueprint

review = page_blueprint("review")


@page(review, "GET /review", role="moderate", nav="Queue")
def queue(caller: Caller) -> Answer:
    """What waits for a moderator."""
    return render_template("queue.html")
