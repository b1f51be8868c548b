"""The native API's side for the author of a comment."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, request

from moderation.auth import Caller
from moderation.endpoint import reply, route, service
from moderation.statement import as_text, state
from moderation.statement_schemas import StatementSchema

author_api = Blueprint("author_api", __name__)

_TEXT = "text/plain"


@route(
    author_api,
    "GET /v1/comments/<comment_id>/statement",
    role="submit",
    answer=StatementSchema(),
    also=_TEXT,
    errors=(404,),
)
def get_statement(caller: Caller, comment_id: str) -> Response:
    """What to tell the author of a comment, and what has become of it.

    `message` is polite and says why, without scores or limits. While the comment is withheld, the
    statement of reasons beside it has the shape that Article 17 of the EU's Digital Services Act
    asks for. With `Accept: text/plain` it comes as one text, as for an e-mail.
    """
    here = service()
    found = state(here.store.find(caller.site, comment_id), here.settings.policy(caller.site))
    wanted = request.accept_mimetypes.best_match(("application/json", _TEXT))
    text = Response(as_text(found), mimetype=_TEXT) if wanted == _TEXT else None
    response = text or reply(asdict(found))
    response.headers["Vary"] = "Accept"
    return response
