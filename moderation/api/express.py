"""The one call that every comment makes, without Flask's rounds around it.

Contexts, routing, requests, signals and hooks took longer than the verdict. What the call takes and
answers is the same: its declaration and its errors are the ones that Flask would come to.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from moderation import problems
from moderation.api import submitted
from moderation.endpoint import EXTENSION, HEADERS, Operation, arguments, finish, written

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_METHOD, _PATH, _VIEW = "POST", "/v1/comments", "api.submit_comment"
_NAME = _VIEW.rpartition(".")[2]


class Express:
    """A WSGI app: this call is answered here, all others by the `rest`."""

    def __init__(self, app: Flask, rest: WSGIApplication) -> None:
        self._app, self._rest = app, rest
        self._operation: Operation = app.view_functions[_VIEW].operation  # type: ignore[union-attr]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != _PATH or environ["REQUEST_METHOD"] != _METHOD:
            return self._rest(environ, start_response)
        started = time.perf_counter()
        here = self._app.extensions[EXTENSION]
        try:
            body = written(submitted(here, **arguments(here, self._operation, environ)))
        except Exception as error:
            return self._refusal(error, environ, start_response, started)
        here.metrics.observe(_NAME, 200, time.perf_counter() - started)
        start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
        return [body]

    def _refusal(
        self,
        error: Exception,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        started: float,
    ) -> Iterable[bytes]:
        asked = self._app.request_class(environ, populate_request=False)
        with self._app.app_context():
            response = finish(problems.answer(error, asked), _NAME, time.perf_counter() - started)
        body = response.get_data()
        response.content_length = len(body)
        start_response(response.status, [*response.headers])
        return [body]


_HEADERS = (("Content-Type", "application/json"), *HEADERS)
