"""The demo blog, started in this process, at a service that is started as anybody would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Response
from werkzeug.serving import make_server

from moderation.client import Client
from moderation.demo.blog import create_blog
from tests.serving import ROOT

ARTICLE = (ROOT / "seeds" / "article.md").read_text(encoding="utf-8")


@contextmanager
def blog(folder: Path, service: str, key: str = "") -> Iterator[str]:
    """The blog's address. It waits longer for the service than readers would: machines are busy."""
    app = create_blog(Client(service, key, time_limit=5), ARTICLE, folder / "blog.db", service)
    app.after_request(_read_whole)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read_whole(response: Response) -> Response:
    """Browsers hang up in the middle, and the file of a style sheet would stay open."""
    response.direct_passthrough = False
    content = response.get_data()
    response.close()
    response.set_data(content)
    return response
