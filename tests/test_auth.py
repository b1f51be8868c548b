"""Who may call what: every route demands its role, and a key opens only its own site."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation import auth
from moderation.api.openapi import operations
from moderation.auth import Gatekeeper, is_loopback, refuse_unguarded
from moderation.endpoint import service
from moderation.errors import BadSetting, StoreUnavailable
from moderation.problems import KeyNeeded
from moderation.store.keys import ROLES, Keys
from tests.serving import app_in, client_of, configured

PUBLIC = {"health", "ready", "openapi", "api_page", "guide_page", "card_page", "guide_file"}
NEEDED = {
    "submit_comment": "submit",
    "submit_batch": "submit",
    "get_policy": "submit",
    "get_statement": "submit",
    "list_comments": "moderate",
    "get_comment": "moderate",
    "erase_comment": "moderate",
    "erase_author": "moderate",
    "review_comment": "moderate",
    "export_labels": "moderate",
    "list_models": "moderate",
    "metrics": "moderate",
    "activate_model": "admin",
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path)


@pytest.fixture
def client(app: Flask) -> Any:
    return client_of(app)


def key_of(app: Flask, role: str, site: str = "default") -> dict[str, str]:
    with app.app_context():
        return {"Authorization": f"Bearer {service().store.keys.create(site, role)}"}


def test_every_route_of_the_app_declares_a_role_or_is_meant_for_everybody(app: Flask) -> None:
    declared = {name: operation.role for name, operation in operations(app)}
    assert {name for name, role in declared.items() if role is None} == PUBLIC
    assert {name: role for name, role in declared.items() if role} == NEEDED
    undeclared = {rule.endpoint for rule in app.url_map.iter_rules()} - {
        name
        for name, view in app.view_functions.items()
        if hasattr(view, "operation") or hasattr(view, "page")  # pages: test_sign_in.py
    }
    # these keep to their protocols' ways to carry a key, which their own tests hold
    faces = {"akismet", "akismet_account", "perspective", "coral", "openai_moderations", "chat"}
    assert "docs.front" in undeclared  # it leads to /docs, and says nothing itself
    rest = undeclared - {"docs.front"}
    assert {name.partition(".")[0] for name in rest} == {"static", *faces}


def test_every_route_refuses_no_key_a_wrong_key_and_a_weaker_role(app: Flask) -> None:
    keys = {role: key_of(app, role) for role in ROLES}
    client = client_of(app)
    for name, operation in operations(app):
        path = operation.path.replace("<comment_id>", "x").replace("<version>", "words-1")

        def status(headers: dict[str, str], method: str = operation.method, at: str = path) -> int:
            return int(client.open(at, method=method, headers=headers).status_code)

        if operation.role is None:
            assert status({}) in (200, 404), name
            continue
        assert status({}) == 401, name
        assert status({"Authorization": "Bearer AAAAAAAAAAAA"}) == 401, name
        assert status({"Authorization": keys["admin"]["Authorization"][7:]}) == 401, name
        for role in ROLES:
            enough = ROLES.index(role) >= ROLES.index(operation.role)
            assert (status(keys[role]) not in (401, 403)) == enough, (name, role)


def test_a_refusal_says_what_is_missing(app: Flask) -> None:
    submit = key_of(app, "submit")
    client = client_of(app)
    none = client.get("/v1/comments")
    assert (none.status_code, none.json["title"]) == (401, "Key needed")
    assert none.headers["WWW-Authenticate"].startswith("Bearer")
    weak = client.get("/v1/comments", headers=submit)
    assert (weak.status_code, weak.json["title"]) == (403, "Key not allowed")
    assert "moderate" in weak.json["detail"]


def test_a_revoked_key_is_refused_at_once(app: Flask) -> None:
    headers = key_of(app, "submit")
    client = client_of(app)
    assert client.get("/v1/policy", headers=headers).status_code == 200
    with app.app_context():
        service().store.keys.revoke(headers["Authorization"].partition(" ")[2])
    assert client.get("/v1/policy", headers=headers).status_code == 401


def test_a_key_sees_only_its_own_site(app: Flask) -> None:
    one, other = key_of(app, "admin", "one"), key_of(app, "admin", "other")
    client = client_of(app)
    verdict = client.post("/v1/comments", json={"content": "pills"}, headers=one).json
    address = f"/v1/comments/{verdict['id']}"
    review = {"decision": "publish", "label": "ok"}
    assert client.get(address, headers=other).status_code == 404
    assert client.delete(address, headers=other).status_code == 404
    assert client.post(f"{address}/review", json=review, headers=other).status_code == 404
    assert client.get("/v1/comments", headers=other).json["comments"] == []
    client.post(f"{address}/review", json=review, headers=one)
    assert client.get("/v1/labels.csv", headers=other).text.count("\n") == 1
    assert client.get(address, headers=one).json["reviews"][0]["by"]


def test_without_a_key_a_loopback_service_is_open_until_the_first_is_created(
    app: Flask, client: Any
) -> None:
    assert client.get("/v1/comments").status_code == 200
    key_of(app, "admin")
    time.sleep(auth._RECHECK_SECONDS)
    assert client.get("/v1/comments").status_code == 401


def test_a_revoked_last_key_does_not_open_the_service(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    headers = key_of(app, "admin")
    with app.app_context():
        service().store.keys.revoke(headers["Authorization"].partition(" ")[2])
    assert client_of(app).get("/v1/comments").status_code == 401


def test_on_any_other_address_nothing_is_open(tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path, host="0.0.0.0"))
    assert client.get("/v1/comments").status_code == 401
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost"])
def test_these_addresses_are_of_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example", "", "box"])
def test_these_addresses_may_be_reached_from_elsewhere(host: str) -> None:
    assert not is_loopback(host)


def test_an_unguarded_start_is_refused_in_a_sentence(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        keys = service().store.keys
    refuse_unguarded(configured(tmp_path), keys)
    with pytest.raises(BadSetting, match="moderation keys create"):
        refuse_unguarded(configured(tmp_path, host="0.0.0.0"), keys)
    keys.create("default", "admin")
    refuse_unguarded(configured(tmp_path, host="0.0.0.0"), keys)


def test_nobody_is_let_in_before_it_is_known_whether_there_are_keys(app: Flask) -> None:
    key_of(app, "submit")
    with app.app_context():
        keys = service().store.keys
    refused = []
    for _ in range(20):
        fresh = Gatekeeper(keys, open_until_first_key=True)
        gate = threading.Barrier(4)

        def call(fresh: Gatekeeper = fresh, gate: threading.Barrier = gate) -> None:
            gate.wait()
            with pytest.raises(KeyNeeded):
                fresh.admit("", "admin")
            refused.append(1)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert len(refused) == 80


def test_a_failed_question_for_keys_opens_nothing(app: Flask) -> None:
    class Away(Keys):
        def any(self) -> bool:
            raise StoreUnavailable("away")

    gatekeeper = Gatekeeper(Away.__new__(Away), open_until_first_key=True)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            gatekeeper.admit("", "admin")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "rebound.evil.example:8000"},
    ],
)
def test_an_open_service_serves_no_page_of_another_site(
    client: Any, headers: dict[str, str]
) -> None:
    assert client.get("/v1/comments").status_code == 200
    assert client.get("/v1/comments", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/v1/comments", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/v1/comments", headers={"Host": "[::1]"}).status_code == 200
    assert client.get("/v1/comments", headers=headers).status_code == 401
