"""What SECURITY.md says, where no other test holds it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.shelf import ModelShelf
from tests.serving import app_in, client_of, write_model

PRIVATE = "private-words"
EMAIL, IP = "ann@private.example", "192.0.2.77"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """An app that has keys, so that it is open to nobody."""
    made = app_in(tmp_path)
    made.extensions["moderation"].store.keys.create("default", "admin")
    made.extensions["moderation"].gatekeeper._may_be_open = False
    return made


def test_no_route_of_any_face_works_without_a_key(app: Flask) -> None:
    client, asked = client_of(app), 0
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        public = getattr(view, "operation", None) and view.operation.role is None
        if public or rule.endpoint.endswith("static"):
            continue
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(
                path, method=method, data={"comment_content": PRIVATE, "blog": "b"}
            )
            refused = answer.status_code in (301, 302, 303, 400, 401, 403, 404, 415)
            # Akismet's clients look at the body, not at the status; Google describes its API
            described = rule.endpoint.endswith("discovery") or answer.text == "invalid"
            # "connected", before any key is known; and where people sign in
            described |= path == "/1.1/test" or "<title>Sign in" in answer.text
            assert refused or described, (method, path, answer.status_code, answer.text[:200])
            asked += 1
    assert asked > 15
    assert app.extensions["moderation"].store.queue("default").comments == ()


def test_a_request_line_begins_no_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_in(tmp_path)

    def broken(*_: Any) -> None:
        raise RuntimeError(PRIVATE)

    monkeypatch.setattr(app.extensions["moderation"].store, "find", broken)
    with caplog.at_level(logging.INFO):
        assert client_of(app).get("/v1/comments/a%0d%0aERROR%20forged").status_code == 500
    (record,) = [one for one in caplog.records if one.name == "moderation.problems"]
    assert "\n" not in record.getMessage()
    assert "\r" not in record.getMessage()
    assert PRIVATE not in record.getMessage()


def test_nothing_of_a_comment_or_its_author_is_logged_whatever_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_in(tmp_path)
    here = app.extensions["moderation"]
    comment = {"content": PRIVATE, "author": {"email": EMAIL, "ip": IP, "name": PRIVATE}}

    def broken(*given: Any) -> None:
        raise RuntimeError(f"{given} {PRIVATE} {EMAIL} {IP}")

    with caplog.at_level(logging.DEBUG):
        client = client_of(app)
        assert client.post("/v1/comments", json=comment).status_code == 200
        monkeypatch.setattr(here.shelf.active(), "assess", broken, raising=False)
        monkeypatch.setattr(type(here.shelf.active()), "assess", broken)
        assert client.post("/v1/comments", json=comment).json["degraded"] is True
        monkeypatch.setattr(here.store, "submit", broken)
        assert client.post("/v1/comments", json=comment).status_code == 500
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("moderation")]
    assert ours
    for line in ours:
        assert not {PRIVATE, EMAIL, IP} & {part for part in (PRIVATE, EMAIL, IP) if part in line}


@pytest.mark.parametrize(
    "version", ["../small-1", "..", ".", "", "/etc", "small-1/../small-1", "small-1/", "small-1\0"]
)
def test_a_models_name_is_no_path(tmp_path: Path, version: str) -> None:
    from moderation.errors import UnknownModel

    write_model(tmp_path / "models")
    shelf = ModelShelf(tmp_path / "models" / "inner")
    for act in (shelf.load, shelf.activate, shelf.manifest):
        with pytest.raises(UnknownModel):
            act(version)
    assert not (tmp_path / "models" / "inner").exists()
