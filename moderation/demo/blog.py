"""The blog: one article, its comments, and the form under it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from moderation.client import Answer, Client
from moderation.demo import form
from moderation.demo.article import read as read_article
from moderation.demo.comments import Comments
from moderation.demo.messenger import Messenger

_LARGEST_FORM = 1 << 20
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a comment's id is for its author's eyes
    "Cache-Control": "private, no-cache",  # "back" finds the form as it was left
}
_CHANGES = {
    ("tag", "escaped"): "<{}> is shown as you typed it",
    ("tag", "removed"): "<{}> is left out",
    ("tag", "closed"): "<{}> is closed for you",
    ("tag", "added"): "an address becomes a link",
    ("attribute", "removed"): "{} is left out of its tag",
    ("url", "removed"): "a link to “{}:” is left out",
    ("text", "escaped"): "{} is shown as you typed it",
    ("text", "removed"): "what nobody could see is left out",
}


def create_blog(client: Client, article: str, database: Path, moderators: str = "") -> Flask:
    """The blog as a WSGI app: the article is Markdown, `moderators` the address of their page."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=_LARGEST_FORM, MAX_FORM_MEMORY_SIZE=_LARGEST_FORM)
    app.jinja_env.globals["moderators"] = moderators
    app.jinja_env.filters.update(web_address=_web_address, change=_change)
    app.register_blueprint(_pages(client, article, Comments(database)))
    app.after_request(_secured)
    return app


def _pages(client: Client, markdown: str, comments: Comments) -> Blueprint:
    pages, article = Blueprint("pages", __name__), read_article(markdown)
    messenger, tokens = Messenger(client, comments), form.Tokens()

    def shown(sent: form.Sent, **more: Any) -> str:
        messenger.catch_up()
        own = comments.find(request.args.get("comment", ""))
        return render_template(
            "article.html",
            article=article,
            comments=comments.published(),
            own=own,
            statement=messenger.statement(own) if own else {},
            policy=messenger.policy,
            longest=longest(),
            sent=sent,
            **more,
        )

    def longest() -> int:
        return int(messenger.policy.get("max_length", form.LONGEST))

    @pages.get("/")
    def page() -> str:
        return shown(form.read({"token": tokens.new()}))

    @pages.post("/")
    def submit() -> AnyResponse | tuple[str, int] | str:
        sent = form.read(request.form)
        if problems := sent.problems(longest()):
            return shown(sent, problems=problems), 422
        if request.form.get("action") == "preview":
            return shown(sent, preview=_preview(messenger.preview(sent.content)))
        facts = sent.facts(
            tokens.age(sent.token), request.remote_addr or "", request.user_agent.string
        )
        address = url_for("pages.page", _external=True)
        about = {"url": address, "title": article.title, "text": article.text}
        kept = messenger.submit(sent.id, sent.content, {**facts, "article": about})
        return redirect(url_for("pages.page", comment=kept.id, _anchor="yours"), 303)

    @pages.post("/preview")
    def preview() -> str:
        content = form.read(request.form).content
        found = _preview(messenger.preview(content)) if content.strip() else None
        return render_template("preview.html", preview=found)

    return pages


def _preview(answer: Answer) -> Mapping[str, Any]:
    """What a reader may know before sending: the page, but nothing of the decision."""
    if not answer.verdict:
        return {"html": "", "changes": [], "available": False}
    changes = answer.verdict.get("changes", [])
    return {"html": Markup(answer.html), "changes": changes, "available": True}


def _change(change: Mapping[str, Any]) -> str:
    sentence = _CHANGES.get((change["what"], change["action"]), "{} is changed")
    times = f" ({change['count']} times)" if change["count"] > 1 else ""
    return sentence.format(change["name"]) + times


def _web_address(url: str) -> str:
    """The URL if it leads to a web page, else nothing: `javascript:` runs in whoever clicks it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def _secured(response: Response) -> Response:
    response.headers.update(_SECURITY)
    return response
