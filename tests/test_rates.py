"""How much may come in: counted for all replicas, answered by each face as its original would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moderation.store.database import Database
from moderation.store.rates import Rates
from moderation.store.tables import rates
from tests.protocols import faces_app
from tests.serving import app_in, client_of

KEY = "k" * 12


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 6000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_replicas_together_admit_no_more_than_the_limit(database_url: str, limit: int) -> None:
    clock = Clock()
    databases = [Database.open(database_url) for _ in range(2)]
    replicas = [Rates(database, clock) for database in databases]

    def ask(number: int) -> bool:
        return replicas[number % 2].wait("somebody", limit) == 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(3 * limit + 10))) == limit
    assert all(replica.wait("another", limit) == 0 for replica in replicas[:limit])
    clock.now += 45
    assert {replica.wait("somebody", limit) for replica in replicas} == {15}
    clock.now += 15
    assert replicas[0].wait("somebody", limit) == 0
    for database in databases:
        database.close()


def test_what_was_counted_is_forgotten(database_url: str) -> None:
    clock, database = Clock(), Database.open(database_url)
    counted = Rates(database, clock)
    for _ in range(5):
        counted.wait("somebody", 1)
        clock.now += 60
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(rates)) == 2
    database.close()


def test_a_key_that_calls_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path, key_rate=2))
    statuses = [client.get("/v1/policy").status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    refused = client.post("/v1/comments", json={"content": "x"})
    assert (refused.status_code, refused.json["title"]) == (429, "Too many calls")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_an_address_that_sends_too_much_is_refused_and_others_are_not(tmp_path: Path) -> None:
    app = app_in(tmp_path, address_rate=2, flood_window=0)
    client = client_of(app)

    def status(ip: str) -> int:
        comment = {"content": "x", "author": {"ip": ip} if ip else {}}
        return int(client.post("/v1/comments", json=comment).status_code)

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("192.0.2.2") == 200
    assert [status("") for _ in range(3)] == [200, 200, 200]
    stored = (tmp_path / "comments.db").read_bytes() + (tmp_path / "comments.db-wal").read_bytes()
    assert b"192.0.2" not in stored


def test_without_a_limit_nothing_is_counted_and_no_address_kept(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    client_of(app).post("/v1/comments", json={"content": "x", "author": {"ip": "192.0.2.1"}})
    with app.extensions["moderation"].store._database.reading() as connection:
        assert connection.execute(sa.select(rates)).all() == []


@pytest.fixture
def limited(tmp_path: Path) -> Any:
    """A client of all faces, with its one call made."""
    client = client_of(faces_app(tmp_path, key_rate=1))
    assert client.get("/v1/policy").status_code == 200
    return client


def test_akismets_clients_hold_the_comment_and_keep_their_reports(limited: Any) -> None:
    fields = {"api_key": KEY, "blog": "https://b.example", "comment_content": "fine"}
    check = limited.post("/1.1/comment-check", data=fields)
    assert (check.status_code, check.text) == (200, "true")
    assert check.headers["X-akismet-error"] == "degraded"
    report = limited.post("/1.1/submit-ham", data=fields)
    assert (report.status_code, report.text) == (429, "failed")
    assert int(report.headers["Retry-After"]) >= 1


def test_perspectives_clients_get_googles_status(limited: Any) -> None:
    asked = {"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}}
    answer = limited.post(f"/v1alpha1/comments:analyze?key={KEY}", json=asked)
    assert (answer.status_code, answer.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert int(answer.headers["Retry-After"]) >= 1


def test_openais_clients_get_its_code(limited: Any) -> None:
    answer = limited.post("/v1/moderations", json={"input": "x"})
    assert (answer.status_code, answer.json["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["Retry-After"]) >= 1
