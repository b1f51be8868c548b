"""The OpenAPI document says what the service does, and the pages show it offline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from moderation import docs
from moderation.api.openapi import operations
from moderation.docs import GuidePage, anchor, guide, markdown
from moderation.verdict import REASON_CODES
from tests.serving import app_in, client_of


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path)


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = client_of(app).get("/openapi.json").json
    return found


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield method, path, call


def test_every_route_is_in_the_document_and_explained(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), path) for method, path, _ in calls(document)}
    there = {
        (operation.method, re.sub(r"<(\w+)>", r"{\1}", operation.path))
        for _, operation in operations(app)
    }
    assert told == there
    for _, _, call in calls(document):
        assert call["summary"].endswith(".")
        assert {p["name"] for p in call["parameters"] if p["in"] == "path"} == {
            *re.findall(r"{(\w+)}", next(p for _, p, c in calls(document) if c is call))
        }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        assert part


def test_the_comment_is_documented_as_it_is_read(document: dict[str, Any]) -> None:
    comment = document["components"]["schemas"]["Comment"]
    assert comment["required"] == ["content"]
    assert comment["additionalProperties"] is False
    assert comment["properties"]["content"]["maxLength"] == 65_536
    submit = document["paths"]["/v1/comments"]["post"]
    body = submit["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Comment"}
    assert {p["name"] for p in submit["parameters"]} == {"record", "Idempotency-Key"}
    assert {"400", "401", "403", "409", "413", "415", "422", "503"} <= submit["responses"].keys()


def test_every_reason_code_is_documented(document: dict[str, Any]) -> None:
    code = document["components"]["schemas"]["Reason"]["properties"]["code"]
    assert code["enum"] == [*REASON_CODES]
    assert all(meaning in code["description"] for meaning in REASON_CODES.values())


def test_calls_that_need_a_key_say_so(app: Flask, document: dict[str, Any]) -> None:
    roles = {name: operation.role for name, operation in operations(app)}
    for _, _, call in calls(document):
        assert call["x-role"] == roles[call["operationId"]]
        assert bool(call["security"]) == bool(call["x-role"])


def test_the_page_shows_every_call_and_object_and_loads_nothing_from_outside(
    app: Flask, document: dict[str, Any]
) -> None:
    response = client_of(app).get("/docs")
    assert response.content_type.startswith("text/html")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for _, path, call in calls(document):
        assert f'id="{call["operationId"]}"' in response.text
        assert path in response.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in response.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', response.text)
    assert "<script" not in response.text
    for target in re.findall(r'href="#([^"]+)"', response.text):
        assert f'id="{target}"' in response.text
    for style in re.findall(r'<link rel="stylesheet" href="([^"]+)"', response.text):
        with client_of(app).get(style) as sheet:
            assert sheet.status_code == 200


def test_the_guide_is_markdown_files_in_their_order(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "02-more.md").write_text("# More\n\nText.", encoding="utf-8")
    (tmp_path / "01-start.md").write_text("# Start here\n\n[On](02-more.md#x)", encoding="utf-8")
    assert [(page.name, page.title) for page in guide(tmp_path)] == [
        ("start", "Start here"),
        ("more", "More"),
    ]
    pages = [GuidePage("start", "Start here", "# Start here\n\n[On](02-more.md#x)")]
    monkeypatch.setattr(docs, "guide", lambda: pages)
    response = client_of(app).get("/docs/start")
    assert '<a href="/docs/more#x">On</a>' in response.text
    assert 'href="/docs/start"' in client_of(app).get("/docs").text


def test_markdown_has_tables_and_anchors_and_no_html_of_its_own() -> None:
    written = markdown("## What `it` does\n\n| a |\n| - |\n| b |\n\n<script>x</script>")
    assert '<h2 id="what-it-does">' in written
    assert "<td>b</td>" in written
    assert "<script>" not in written
    assert anchor("What `it` does?") == "what-it-does"
