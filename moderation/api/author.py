"""The native API's side for the author of a comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from flask import Blueprint, Response, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from moderation.api.statement import as_text, state
from moderation.api.statement_schemas import StatementSchema
from moderation.auth import Caller
from moderation.endpoint import reply, route, service
from moderation.wordings import lookup

author_api = Blueprint("author_api", __name__)

_TEXT = "text/plain"
_LANGUAGES = "Accept-Language"


@route(
    author_api,
    "GET /v1/comments/<comment_id>/statement",
    role="submit",
    answer=StatementSchema(),
    also=_TEXT,
    headers={
        _LANGUAGES: "Languages of the author, as their browser sent them, or the one of your "
        "site. The first that there is counts; without any, the one of the comment, else English."
    },
    errors=(404,),
)
def get_statement(caller: Caller, comment_id: str, headers: Mapping[str, str]) -> Response:
    """What to tell the author of a comment, and what has become of it.

    `message` is polite and says why, without scores or limits. While the comment is withheld, the
    statement of reasons beside it has the shape that Article 17 of the EU's Digital Services Act
    asks for. With `Accept: text/plain` it comes as one text, as for an e-mail.
    """
    here = service()
    stored = here.store.find(caller.site, comment_id)
    language = lookup(_ranges(headers[_LANGUAGES]), stored.verdict.language.code)
    found = state(stored, here.settings.policy(caller.site), language)
    wanted = request.accept_mimetypes.best_match(("application/json", _TEXT))
    text = Response(as_text(found), mimetype=_TEXT) if wanted == _TEXT else None
    response = text or reply(asdict(found))
    response.headers["Content-Language"] = language
    response.headers["Vary"] = f"Accept, {_LANGUAGES}"
    return response


def _ranges(accepted: str) -> list[str]:
    """The languages of an Accept-Language, the most wanted first."""
    parsed = parse_accept_header(accepted, LanguageAccept)
    return [language for language, quality in parsed if quality > 0]
