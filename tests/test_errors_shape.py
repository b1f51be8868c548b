"""All errors have one shape, whatever goes wrong: RFC 9457, never HTML, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.api.answer_schemas import ProblemSchema
from moderation.auth import Gatekeeper
from moderation.docs import problems
from moderation.endpoint import service
from moderation.errors import StoreUnavailable
from moderation.problems import problem_type
from tests.serving import app_in, client_of

JSON = {"content_type": "application/json"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path, max_body=2000, max_batch_body=4000)


def guarded(client: Any) -> None:
    service().store.keys.create("default", "submit")
    service().gatekeeper = Gatekeeper(service().store.keys, open_until_first_key=False)


def with_key(client: Any, role: str) -> dict[str, str]:
    guarded(client)
    return {"Authorization": f"Bearer {service().store.keys.create('default', role)}"}


def conflict(client: Any) -> Any:
    headers = {"Idempotency-Key": "k"}
    client.post("/v1/comments", json={"content": "a"}, headers=headers)
    return client.post("/v1/comments", json={"content": "b"}, headers=headers)


def no_key(client: Any) -> Any:
    guarded(client)
    return client.get("/v1/comments")


def weak_key(client: Any) -> Any:
    return client.get("/v1/comments", headers=with_key(client, "submit"))


def too_many_batches(client: Any) -> Any:
    service().batches._seconds = 0
    service().batches._free.acquire()
    return client.post("/v1/comments/batch", json={"comments": []})


def overloaded(client: Any) -> Any:
    service().singles._free = service().singles._queue = 0
    return client.post("/v1/comments", json={"content": "x"})


def store_away(client: Any) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk full")

    service().store.submit = fail  # type: ignore[method-assign,assignment]
    return client.post("/v1/comments", json={"content": "x"})


def a_mistake(client: Any) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret text of a comment")

    service().store.find = fail  # type: ignore[method-assign,assignment]
    return client.get("/v1/comments/x")


Case = tuple[int, Callable[[Any], Any]]
CASES: dict[str, Case] = {
    "broken JSON": (400, lambda c: c.post("/v1/comments", data="{", **JSON)),
    "deep JSON": (400, lambda c: c.post("/v1/comments", data="[" * 1900, **JSON)),
    "no key": (401, no_key),
    "weak key": (403, weak_key),
    "no such address": (404, lambda c: c.get("/nowhere")),
    "double slash": (404, lambda c: c.get("/v1//comments")),
    "slash at the end": (404, lambda c: c.get("/v1/comments/")),
    "no such comment": (404, lambda c: c.get("/v1/comments/x")),
    "no such model": (404, lambda c: c.post("/v1/models/x/activate")),
    "no such page": (404, lambda c: c.get("/docs/nothing")),
    "no such file": (404, lambda c: c.get("/static/nothing")),
    "odd path": (404, lambda c: c.get("/v1/comments/%00%ff/../é")),
    "wrong method": (405, lambda c: c.put("/v1/comments")),
    "options": (405, lambda c: c.options("/v1/comments")),
    "conflict": (409, conflict),
    "too large": (413, lambda c: c.post("/v1/comments", json={"content": "x" * 2000})),
    "batch too large": (413, lambda c: c.post("/v1/comments/batch", data="x" * 4001, **JSON)),
    "form": (415, lambda c: c.post("/v1/comments", data={"content": "x"})),
    "no type": (415, lambda c: c.post("/v1/comments", data="{}")),
    "gzip": (
        415,
        lambda c: c.post("/v1/comments", data="x", headers={"Content-Encoding": "gzip"}, **JSON),
    ),
    "fields": (422, lambda c: c.post("/v1/comments", json={"contnt": "x"})),
    "query": (422, lambda c: c.get("/v1/comments?limit=x")),
    "cursor": (422, lambda c: c.get("/v1/comments?cursor=x")),
    "batches": (429, too_many_batches),
    "mistake": (500, a_mistake),
    "overloaded": (503, overloaded),
    "store": (503, store_away),
}


@pytest.mark.parametrize("name", CASES)
def test_every_error_has_the_one_shape(app: Flask, name: str) -> None:
    status, provoke = CASES[name]
    with app.app_context():
        response = provoke(client_of(app))
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert [*response.json] == ["type", "title", "status", "detail", "errors"]
    assert not ProblemSchema().validate(response.json)
    assert response.json["status"] == status
    assert response.json["title"]
    assert response.json["detail"].endswith(".")
    assert bool(response.json["errors"]) == (name in ("fields", "query"))
    assert "<" not in response.text
    assert "Traceback" not in response.text
    assert ("Retry-After" in response.headers) == (status in (429, 503))


def test_a_mistake_is_logged_by_its_place_and_not_its_text(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context(), caplog.at_level(logging.ERROR):
        response = a_mistake(client_of(app))
    assert "ZeroDivisionError at " in caplog.text
    assert "secret" not in caplog.text + response.text


def test_the_methods_that_an_address_takes_are_told(app: Flask) -> None:
    response = client_of(app).put("/v1/comments")
    assert {*response.headers["Allow"].split(", ")} >= {"GET", "POST"}


def test_the_limit_of_a_body_is_told(app: Flask) -> None:
    response = client_of(app).post("/v1/comments", json={"content": "x" * 2000})
    assert "2000 bytes" in response.json["detail"]


def test_every_kind_of_problem_is_explained_where_its_type_points(app: Flask) -> None:
    page = client_of(app).get("/docs").text
    for problem in problems():
        assert problem_type(problem["title"]) == f"/docs#{problem['id']}"
        assert f'id="{problem["id"]}"' in page
        assert problem["meaning"]
