"""What breaks under the service, and what it says then: never a comment lost, never one published
by a failure, and all well again once the fault is gone."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moderation.store import Store
from moderation.store.tables import comments
from tests import postgres
from tests.postgres import Server
from tests.serving import Answer, Served, configured, write_model

Recorded = dict[str, dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "models")
    return tmp_path


def submit(service: Served, text: str, *, record: bool = True) -> Answer:
    return service.call("POST", f"/v1/comments?record={str(record).lower()}", {"content": text})


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kept(url: str) -> Recorded:
    """What the database holds, once the service has ended."""
    store = Store.open(url)
    found: Recorded = {}
    cursor: str | None = None
    while True:
        page = store.queue("default", limit=200, cursor=cursor)
        found |= {one.id: {"html": one.verdict.html, "held": one.status} for one in page.comments}
        if (cursor := page.next) is None:
            store.close()
            return found


def test_a_worker_killed_under_load_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    answered: Recorded = {}
    stop = threading.Event()

    def send(sender: int, service: Served) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            text = f"{'cheap pills' if number % 2 else 'A fine day'} {sender} {number}"
            try:
                answer = submit(service, text)
            except OSError:  # hung up on: the backend holds the comment and sends it again
                continue
            if answer.status == 200:
                held = "held" if answer.json["decision"] == "hold" else "published"
                answered[answer.json["id"]] = {"html": answer.json["html"], "held": held}

    with Served(folder, "--workers", "2", flood_window=0, duplicate_window=0) as service:
        senders = [threading.Thread(target=send, args=(n, service)) for n in range(6)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            before = len(answered)
            until(lambda at=before: len(answered) > at + 50)  # type: ignore[misc]
            os.kill(service.workers()[0], signal.SIGKILL)
        before = len(answered)
        until(lambda: len(answered) > before + 50)
        stop.set()
        for sender in senders:
            sender.join()
    found = kept(configured(folder).database)
    assert {key: found.get(key) for key in answered} == answered


@pytest.fixture
def full_disk(folder: Path) -> Iterator[tuple[Served, Callable[[], None]]]:
    """A service that can write no more, and what ends that. The kernel refuses its writes beyond
    what the database has already."""
    with Served(folder, flood_window=0, duplicate_window=0) as service:
        assert submit(service, "before").status == 200
        (worker,) = service.workers()
        _, hard = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (8192, hard))
        yield (
            service,
            lambda: resource.prlimit(worker, resource.RLIMIT_FSIZE, (hard, hard)) and None,
        )


def test_on_a_full_disk_nothing_is_recorded_and_everything_says_so(
    folder: Path, full_disk: tuple[Served, Callable[[], None]]
) -> None:
    service, space = full_disk
    for _ in range(3):
        refused = submit(service, "while it is full")
        assert (refused.status, refused.json["title"]) == (503, "Store unavailable")
        assert refused.headers["retry-after"]
    preview = submit(service, "cheap pills", record=False)
    assert (preview.status, preview.json["decision"]) == (200, "hold")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    akismet = service.call(
        "POST", "/1.1/comment-check", b"api_key=kkkkkkkkkkkk&blog=b&comment_content=fine", form
    )
    assert (akismet.status, akismet.body) == (200, b"true")
    assert "degraded" in akismet.headers["x-akismet-error"]
    assert service.call("GET", "/readyz").status == 503
    assert service.call("GET", "/healthz").status == 200
    space()
    assert service.call("GET", "/readyz").status == 200
    assert submit(service, "after").status == 200
    service.stop()
    engine = sa.create_engine(configured(folder).database)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.scalars(sa.select(comments.c.content)).all() == ["before", "after"]
    engine.dispose()


@pytest.fixture
def database() -> Iterator[Server]:
    """A PostgreSQL server of this test's own."""
    with postgres.running(postgres.programs()) as started:
        yield started


def test_a_database_that_goes_and_comes_back(folder: Path, database: Server) -> None:
    with Served(folder, database=database.url) as service:
        first = submit(service, "A fine day").json
        assert first["decision"] == "publish"
        database.stop()
        for _ in range(3):
            refused = submit(service, "A fine day too")
            assert (refused.status, refused.json["title"]) == (503, "Store unavailable")
            assert "127.0.0.1" not in refused.json["detail"]
        preview = submit(service, "Another fine day", record=False).json
        assert (preview["decision"], preview["degraded"]) == ("hold", True)
        assert [reason["code"] for reason in preview["reasons"]] == ["degraded"]
        assert service.call("GET", "/readyz").status == 503
        assert service.call("GET", "/healthz").status == 200
        database.start()
        until(lambda: service.call("GET", "/readyz").status == 200)
        assert submit(service, "A fine day again").json["degraded"] is False
        shown = service.call("GET", "/v1/comments?order=oldest").json["comments"]
        assert [one["content"] for one in shown] == ["A fine day", "A fine day again"]
        assert shown[0]["verdict"] == first


def test_a_database_that_is_away_at_the_start_is_one_line_and_exit_2(
    folder: Path, database: Server
) -> None:
    database.stop()
    service = Served(folder, database=database.url)
    assert service.process.wait(30) == 2
    assert "MODERATION_DATABASE" in service.log()
    assert "Traceback" not in service.log()
    database.start()  # for the fixture to stop
