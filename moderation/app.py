"""Where everything is wired, and nowhere else."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, g, request

from moderation import problems, settings
from moderation.akismet import akismet
from moderation.akismet.account import akismet_account
from moderation.api import api
from moderation.api.admin import admin_api
from moderation.api.author import author_api
from moderation.api.express import Express
from moderation.chat import chat
from moderation.coral import coral
from moderation.docs import docs
from moderation.endpoint import EXTENSION, finish
from moderation.openai_moderations import openai_moderations
from moderation.perspective import perspective
from moderation.review import review
from moderation.review.figures import figures_page
from moderation.review.models import models_page
from moderation.review.sign_in import sign_in
from moderation.review.webhooks import webhooks_page
from moderation.service import Service, Shelf
from moderation.settings import Settings
from moderation.shelf import ModelShelf
from moderation.store import Store


def create_app(
    configured: Settings | None = None,
    *,
    store: Store | None = None,
    shelf: Shelf | None = None,
) -> Flask:
    """The service as a WSGI app; without arguments, as the environment configures it.

    It opens the database, so call it in each worker process, after it has forked.
    """
    configured = configured or settings.load(os.environ)
    app = Flask("moderation")
    app.config["MAX_CONTENT_LENGTH"] = configured.max_body
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # they'd be answered before any key is asked
    app.url_map.merge_slashes = False  # a redirect would be HTML, and lose the body
    app.extensions[EXTENSION] = Service(
        configured,
        store or Store.open(configured.database, configured.announces),
        shelf or ModelShelf(configured.models, consult=configured.second_opinion),
    )
    problems.register(app)
    app.before_request(_begin)
    app.after_request(_end)
    native = (api, author_api, admin_api, docs)
    others = (akismet, akismet_account, perspective, coral, openai_moderations, chat)
    # the navigation shows them in this order
    pages = (sign_in, review, figures_page, models_page, webhooks_page)
    for face in (*native, *others, *pages):
        app.register_blueprint(face)
    app.wsgi_app = Express(app, app.wsgi_app)  # type: ignore[method-assign]  # as Flask advises
    return app


def _begin() -> None:
    g.started = time.perf_counter()


def _end(response: Response) -> Response:
    call = (request.endpoint or "none").rpartition(".")[2]
    return finish(response, call, time.perf_counter() - g.started)
