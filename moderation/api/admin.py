"""The native API around the comments: a site's policy, the models, health and figures."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app

from moderation.api.admin_schemas import (
    ActivatedSchema,
    HealthSchema,
    ModelsSchema,
    PolicySchema,
    ReadySchema,
)
from moderation.api.openapi import document
from moderation.auth import Caller
from moderation.endpoint import reply, route, service
from moderation.errors import ModelRefused
from moderation.html_policy import HtmlPolicy
from moderation.metrics import MEDIA_TYPE
from moderation.site_metrics import DAYS, site_exposition

admin_api = Blueprint("admin_api", __name__)


@route(admin_api, "GET /v1/policy", role="submit", answer=PolicySchema())
def get_policy(caller: Caller) -> Response:
    """What readers may write on this site, and the sentence that tells them.

    Both come from the settings that the sanitiser itself uses.
    """
    policy = service().settings.policy(caller.site)
    limits = {"max_length": policy.max_length, "max_links": policy.max_links}
    return reply({"site": caller.site, **HtmlPolicy(policy.html).describe(), **limits})


@route(admin_api, "GET /v1/models", role="moderate", answer=ModelsSchema())
def list_models(caller: Caller) -> Response:
    """The installed models, with their figures."""
    active = service().shelf.active().version
    models = [_model(version, active) for version in service().shelf.versions()]
    return reply({"active": active, "models": models})


@route(
    admin_api,
    "POST /v1/models/<version>/activate",
    role="admin",
    answer=ActivatedSchema(),
    errors=(404,),
)
def activate_model(caller: Caller, version: str) -> Response:
    """Judge with this model from now on, on all sites and in all workers. No request is dropped.

    A model that is not what its manifest says is refused (503), and the one in use stays. The way
    back is the same call with the version before.
    """
    service().shelf.activate(version)
    return reply({"active": service().shelf.active().version})


@route(admin_api, "GET /healthz", role=None, answer=HealthSchema())
def health() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@route(admin_api, "GET /readyz", role=None, answer=ReadySchema(), errors=(503,))
def ready() -> Response:
    """The active model judges a sample, and the database takes a write."""
    return reply({"status": "ready", "model": service().self_check()})


@route(admin_api, "GET /metrics", role="moderate", answer=MEDIA_TYPE)
def metrics(caller: Caller) -> Response:
    """Figures for Prometheus.

    Of the whole service: verdicts by decision, reasons, time taken, the active model. Of the key's
    site, over the last 30 days: what the page of figures shows.
    """
    here, model = service(), service().shelf.active()
    figures = here.store.figures.of([caller.site], DAYS, model.version, model.manifest)
    waiting, dead = here.store.outbox.counts(caller.site)
    promise = here.settings.policy(caller.site).promise
    own = site_exposition(caller.site, figures, promise, {"waiting": waiting, "dead": dead})
    return Response(here.metrics.exposition(model.version) + own, content_type=MEDIA_TYPE)


@route(admin_api, "GET /openapi.json", role=None, answer="application/json")
def openapi() -> Response:
    """This API as an OpenAPI 3.1 document."""
    return reply(document(current_app))


def _model(version: str, active: str) -> dict[str, Any]:
    manifest: dict[str, Any] = {}
    problem = None
    try:
        manifest = dict(service().shelf.manifest(version))
    except ModelRefused as error:
        problem = str(error)
    return {
        "version": version,
        "active": version == active,
        "manifest": manifest,
        "problem": problem,
    }
