"""The one call that every comment makes, without Flask's rounds around it.

Contexts, routing, sessions, signals and hooks took longer than the verdict. What the call does and
answers is the same: its view and its errors are the ones that Flask would come to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask, Request, Response

from moderation import problems
from moderation.endpoint import finish

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_METHOD, _PATH, _VIEW = "POST", "/v1/comments", "api.submit_comment"


class Express:
    """A WSGI app: this call is answered here, all others by the `rest`."""

    def __init__(self, app: Flask, rest: WSGIApplication) -> None:
        self._app, self._rest = app, rest
        self._view = cast(Callable[[Request], Response], app.view_functions[_VIEW])
        self._name = _VIEW.rpartition(".")[2]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != _PATH or environ["REQUEST_METHOD"] != _METHOD:
            return self._rest(environ, start_response)
        started = time.perf_counter()
        asked = self._app.request_class(environ, populate_request=False)
        with self._app.app_context():
            try:
                response = self._view(asked)
            except Exception as error:
                response = problems.answer(error, asked)
            finish(response, self._name, time.perf_counter() - started)
        body = response.get_data()
        start_response(response.status, [*response.headers, ("Content-Length", str(len(body)))])
        return [body]
