"""What workers do in the background: once, whoever does it, and again after a failure."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from moderation import chores, settings
from moderation.service import Service
from moderation.store import Store
from moderation.store.tables import comments
from moderation.verdict import Comment, Verdict
from tests.serving import WordModels

DAY = 86400.0
FINE = Verdict("publish", (), {"spam": 0.01, "abuse": 0.01}, "x")


def test_what_is_older_than_the_sites_days_is_erased_once_a_day(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "sites.toml"
    config.write_text("[sites.short]\nretention_days = 30\n", encoding="utf-8")
    configured = settings.load({"MODERATION_CONFIG": str(config)})
    service = Service(configured, store, WordModels())

    def keep(site: str, text: str, days: float) -> None:
        (kept,) = store.record(configured.policy(site), [Comment(text)], [FINE])
        engine = sa.create_engine(database_url)
        with engine.begin() as connection:
            change = sa.update(comments).where(comments.c.id == kept.id)
            connection.execute(change.values(received=comments.c.received - days * DAY))
        engine.dispose()

    def texts(site: str) -> list[str]:
        return [kept.comment.content for kept in store.queue(site, order="oldest").comments]

    keep("short", "old", 31)
    keep("short", "young", 29)
    keep("long", "ancient", 3000)
    chores.erase_what_is_old(service)
    assert (texts("short"), texts("long")) == (["young"], ["ancient"])
    keep("short", "old again", 31)
    chores.erase_what_is_old(service)
    assert len(texts("short")) == 2, "its turn is tomorrow"


def test_a_chore_is_done_by_one_of_all_workers(database_url: str) -> None:
    stores = [Store.open(database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        turns = list(pool.map(lambda store: store.my_turn("erased_old", DAY), stores))
    assert sorted(turns) == [False, False, False, True]
    assert stores[0].my_turn("erased_old", 0)
    for store in stores:
        store.close()


def test_an_erasing_that_fails_has_its_turn_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(settings.load({}), store, WordModels())

    def broken(site: str, days: int) -> int:
        raise OSError("no disk")

    monkeypatch.setattr(store.erasing, "old", broken)
    monkeypatch.setattr(store, "sites", lambda: ["default"])
    for _ in range(2):
        with pytest.raises(OSError):
            chores.erase_what_is_old(service)


def test_a_chore_that_fails_is_done_again() -> None:
    done = threading.Event()
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("no disk")
        done.set()
        threading.Event().wait()  # enough of it

    chores.every(0.01, work)
    assert done.wait(20)
