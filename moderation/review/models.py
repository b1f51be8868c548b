"""The models, as pages: retrain, look at what changes, activate, go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, url_for

from moderation import retrain
from moderation.docs import markdown
from moderation.endpoint import service
from moderation.errors import ModelRefused
from moderation.review.comparison import compare
from moderation.review.pages import Answer, chosen_sites, page, page_blueprint
from moderation.store.sessions import Session
from moderation.store.stored import Stored
from moderation.verdict import Verdict

models_page = page_blueprint("models_page")

COMPARED = 1_000
"""So many of the newest comments are judged by both models."""
_SHOWN = 100  # of those that change, on each side


@page(models_page, "GET /review/models", role="moderate", nav="Models")
def show_models(session: Session) -> Answer:
    """The installed models, and what is being trained."""
    here = service()
    active = here.shelf.active()
    retrains = here.store.retrains.newest()
    return render_template(
        "models.html",
        may=bool(session.sites("admin")),
        active=active.version,
        previous=here.shelf.previous(),
        models=[_described(version) for version in reversed(here.shelf.versions())],
        lineages=here.store.retrains.lineages(),
        labels=here.store.retrains.label_count(),
        impossible=retrain.impossible(),
        running=next((one for one in retrains if one.state == "running"), None),
        retrains=retrains,
        markdown=markdown,
    )


@page(models_page, "POST /review/models/retrain", role="admin")
def start_retrain(session: Session) -> Answer:
    """Start one in the background."""
    by = session.keys.get(session.sites("admin")[0], "")
    retrain.start(service().store.retrains, service().settings, by)
    return _to_models()


@page(models_page, "GET /review/models/<version>", role="moderate")
def compare_model(session: Session, version: str) -> Answer:
    """What would change with this model."""
    here = service()
    sites = chosen_sites(session, request.args.get("site"))
    with here.batches.turn():
        recorded = here.store.desk.queue(sites, limit=COMPARED).comments

        def by(model: Any) -> Any:
            def judge(recorded: Sequence[Stored]) -> list[Verdict]:
                found: dict[str, Verdict] = {}
                for site in sites:
                    its = {one.id: one.comment for one in recorded if one.site == site}
                    judged = here.judge_with(model, site, [*its.values()])
                    found |= zip(its, judged, strict=True)
                return [found[one.id] for one in recorded]

            return judge

        champion = here.shelf.active()
        compared = compare(recorded, by(champion), by(here.shelf.load(version)))
    return render_template(
        "model.html",
        may=bool(session.sites("admin")),
        active=champion.version,
        version=version,
        sites=sites,
        compared=compared,
        shown=_SHOWN,
        lineage=here.store.retrains.lineages().get(version),
        made_by=next((r for r in here.store.retrains.newest(50) if r.version == version), None),
        markdown=markdown,
    )


@page(models_page, "POST /review/models/<version>/activate", role="admin")
def activate_model(session: Session, version: str) -> Answer:
    """Judge with this model from now on."""
    service().shelf.activate(version)
    return _to_models()


@page(models_page, "POST /review/models/rollback", role="admin")
def roll_back(session: Session) -> Answer:
    """Judge with the model that was active before."""
    service().shelf.rollback()
    return _to_models()


def _described(version: str) -> dict[str, Any]:
    try:
        manifest = dict(service().shelf.manifest(version))
    except ModelRefused as error:
        return {"version": version, "problem": str(error)}
    return {
        "version": version,
        "created": str(manifest.get("created", ""))[:16].replace("T", " "),
        "taught_on_top_of": manifest.get("taught_on_top_of"),
    }


def _to_models() -> Answer:
    return redirect(url_for("models_page.show_models"), 303)
