"""Webhooks: told once, signed, tried for a day, and never lost or made up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from moderation import settings
from moderation.errors import BadSetting
from moderation.settings import Settings
from moderation.store import Store, reviewing
from moderation.store import outbox as outbox_module
from moderation.store.reviewing import Word
from moderation.store.stored import Stored
from moderation.store.tables import outbox
from moderation.verdict import Author, Comment, Finding, Verdict
from moderation.webhooks import deliver_due
from tests.conftest import behind
from tests.receiver import OTHER_SECRET, SECRET, Receiver, receiving
from tests.serving import Served, write_model

DAY = 86400.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def configured(receiver: Receiver) -> Settings:
    return wanting(receiver.url, private="true")


@pytest.fixture
def store(database_url: str, configured: Settings) -> Iterator[Store]:
    opened = Store.open(database_url, configured.announces)
    yield opened
    opened.close()


def wanting(url: str, secret: str = SECRET, private: str = "false") -> Settings:
    given = {"URL": url, "SECRET": secret, "PRIVATE": private}
    return settings.load({f"MODERATION_WEBHOOK_{name}": value for name, value in given.items()})


def held(store: Store, text: str = "cheap pills", site: str = "blog") -> Stored:
    verdict = Verdict("hold", (Finding("spam"),), {"spam": 0.99, "abuse": 0.01}, text)
    comment = Comment(text, Author(email="ann@example.org"), external_id=f"their-{text}")
    return store.record(settings.load({}).policy(site), [comment], [verdict])[0]


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the outbox believe that so much more time has passed."""
    now = outbox_module.time.time
    clock = type("Clock", (), {"time": staticmethod(lambda: now() + seconds)})
    monkeypatch.setattr(outbox_module, "time", clock)


# ------------------------------------------------------------------ what is told


@pytest.mark.parametrize(
    ("decision", "label", "status"),
    [
        ("publish", "ok", "published"),
        ("reject", "spam", "rejected"),
        ("publish", None, "published"),
    ],
)
def test_a_review_that_changes_a_comments_fate_is_told_and_signed(
    store: Store,
    receiver: Receiver,
    configured: Settings,
    decision: str,
    label: str | None,
    status: str,
) -> None:
    kept = held(store)
    store.review("blog", kept.id, decision, label, note="between us")  # type: ignore[arg-type]
    assert deliver_due(store.outbox, configured) == 1
    (message,) = receiver.verified()
    assert message["type"] == f"comment.{status}"
    assert message["data"] == {
        "id": kept.id,
        "external_id": "their-cheap pills",
        "site": "blog",
        "status": status,
        "previous_status": "held",
        "label": label,
    }
    path, headers, body = receiver.requests[0]
    assert (path, headers["Content-Type"]) == ("/hooks?from=moderation", "application/json")
    assert headers["webhook-id"].startswith("msg_")
    assert b"between us" not in body and b"ann@" not in body
    assert store.outbox.counts("blog") == (0, 0)


def test_a_word_that_changes_nothing_is_not_told(
    store: Store, receiver: Receiver, configured: Settings
) -> None:
    kept = held(store)
    store.review("blog", kept.id, "publish", None)
    deliver_due(store.outbox, configured)
    store.review("blog", kept.id, "publish", "ok")
    assert deliver_due(store.outbox, configured) == 0
    assert len(receiver.requests) == 1


def test_a_word_taken_back_is_told(store: Store, receiver: Receiver, configured: Settings) -> None:
    kept = held(store)
    done = store.desk.act("blog", {kept.id: 0}, Word("reject", "spam"))
    deliver_due(store.outbox, configured)
    store.desk.undo("blog", done.id)
    deliver_due(store.outbox, configured)
    told = [(m["type"], m["data"]["previous_status"]) for m in receiver.verified()]
    assert told == [("comment.rejected", "held"), ("comment.held", "rejected")]


def test_a_site_without_an_address_is_told_nothing(database_url: str) -> None:
    store = Store.open(database_url, settings.load({}).announces)
    store.review("blog", held(store).id, "publish", None)
    assert store.outbox.counts("blog") == (0, 0)
    store.close()


def test_a_site_that_wants_none_any_more_leaves_nothing_waiting(
    store: Store, receiver: Receiver
) -> None:
    store.review("blog", held(store).id, "publish", None)
    assert deliver_due(store.outbox, settings.load({})) == 1
    assert (receiver.requests, store.outbox.counts("blog")) == ([], (0, 0))


def test_a_review_and_its_message_are_written_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = held(store)

    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(reviewing, "announce", full)
    with pytest.raises(OSError, match="no space"):
        store.review("blog", kept.id, "publish", "ok")
    found = store.find("blog", kept.id)
    assert (found.status, found.label, found.reviews) == ("held", None, ())


def test_erasing_takes_what_was_to_be_said_and_says_only_that(
    store: Store, receiver: Receiver, configured: Settings, database_url: str
) -> None:
    kept = held(store)
    store.review("blog", kept.id, "publish", "ok")
    store.erase("blog", kept.id)
    with behind(database_url) as connection:
        bodies = connection.scalars(sa.select(outbox.c.body)).all()
    assert [json.loads(body)["type"] for body in bodies] == ["comment.erased"]
    deliver_due(store.outbox, configured)
    (message,) = receiver.verified()
    assert message["data"]["external_id"] == "their-cheap pills"
    assert message["data"]["previous_status"] == "published"


@pytest.mark.parametrize("arrives", [True, False])
def test_an_erasure_does_not_overtake_what_is_on_its_way(store: Store, arrives: bool) -> None:
    kept = held(store)
    store.review("blog", kept.id, "publish", "ok")
    on_its_way = store.outbox.claim()
    assert on_its_way
    store.erase("blog", kept.id)
    assert store.outbox.claim() is None
    if arrives:
        store.outbox.delivered(on_its_way)
    else:
        store.outbox.failed(on_its_way, "away")
    (waits,) = store.outbox.listed("blog", dead=False)
    assert json.loads(waits.body)["type"] == "comment.erased"


def test_what_retention_erases_is_not_told(store: Store) -> None:
    held(store)
    assert store.erasing.old("blog", -1) == 1
    assert store.outbox.counts("blog") == (0, 0)


def test_only_the_last_word_on_a_comment_is_told(
    store: Store, receiver: Receiver, configured: Settings
) -> None:
    first, second = held(store, "one"), held(store, "two")
    store.review("blog", first.id, "publish", None)
    store.review("blog", second.id, "publish", None)
    store.review("blog", first.id, "reject", "spam")
    deliver_due(store.outbox, configured)
    told = [(m["data"]["id"], m["type"]) for m in receiver.verified()]
    assert told == [(second.id, "comment.published"), (first.id, "comment.rejected")]


def test_while_a_secret_is_replaced_both_verify(
    store: Store, receiver: Receiver, configured: Settings
) -> None:
    store.review("blog", held(store).id, "publish", None)
    deliver_due(
        store.outbox, wanting(receiver.url, secret=f"{OTHER_SECRET}, {SECRET}", private="true")
    )
    assert receiver.verified(SECRET) == receiver.verified(OTHER_SECRET)
    with pytest.raises(Exception, match="No matching signature"):
        receiver.verified("whsec_" + "A" * 32)
    _, headers, body = receiver.requests[0]
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(body.replace(b"published", b"rejected"), headers)


# ------------------------------------------------------------------ when it does not arrive


def test_a_failure_is_tried_again_with_growing_pauses_for_a_day_and_kept_after(
    store: Store, receiver: Receiver, configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = 500
    store.review("blog", held(store).id, "publish", "ok")
    waits, passed = [], 0.0
    while store.outbox.counts("blog") == (1, 0):
        assert deliver_due(store.outbox, configured) == 1
        for waiting in store.outbox.listed("blog", dead=False):
            assert waiting.due is not None
            wait = (waiting.due - waiting.since).total_seconds() - passed
            assert deliver_due(store.outbox, configured) == 0, "not before it is due"
            waits.append(wait)
            passed += wait
            later(monkeypatch, wait + 0.01)
    assert waits[:-1] == sorted(waits[:-1]) and len(waits) == 7
    assert passed == pytest.approx(DAY, abs=60)
    assert {headers["webhook-id"] for _, headers, _ in receiver.requests} == {
        store.outbox.listed("blog", dead=True)[0].message_id
    }
    (dead,) = store.outbox.listed("blog", dead=True)
    assert (dead.problem, dead.attempts) == ("answered 500", len(receiver.requests))
    assert deliver_due(store.outbox, configured) == 0

    receiver.answer = 200
    assert store.outbox.retry("news", dead.message_id) == 0
    assert store.outbox.retry("blog", dead.message_id) == 1
    assert deliver_due(store.outbox, configured) == 1
    assert store.outbox.counts("blog") == (0, 0)


def test_a_receiver_that_is_gone_is_not_asked_again(
    store: Store, receiver: Receiver, configured: Settings
) -> None:
    receiver.answer = 410
    store.review("blog", held(store).id, "publish", "ok")
    assert deliver_due(store.outbox, configured) == 1
    assert store.outbox.counts("blog") == (0, 1)


def test_a_redirect_is_not_followed(store: Store, receiver: Receiver, configured: Settings) -> None:
    receiver.answer = 302
    store.review("blog", held(store).id, "publish", "ok")
    deliver_due(store.outbox, configured)
    assert [path for path, _, _ in receiver.requests] == ["/hooks?from=moderation"]
    assert store.outbox.listed("blog", dead=False)[0].problem == "answered 302"


def test_a_site_that_does_not_answer_rests_and_holds_up_no_other(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    config = tmp_path / "sites.toml"
    config.write_text('[sites.down]\nwebhook_url = "http://127.0.0.1:1/"\n', encoding="utf-8")
    both = settings.load(
        {
            "MODERATION_CONFIG": str(config),
            "MODERATION_WEBHOOK_URL": receiver.url,
            "MODERATION_WEBHOOK_SECRET": SECRET,
            "MODERATION_WEBHOOK_PRIVATE": "true",
        }
    )
    for text in ("one", "two"):
        store.review("down", held(store, text, "down").id, "publish", None)
    store.review("blog", held(store).id, "publish", None)
    assert deliver_due(store.outbox, both) == 2
    assert len(receiver.requests) == 1
    attempts = [message.attempts for message in store.outbox.listed("down", dead=False)]
    assert sorted(attempts) == [0, 1]
    problems = {message.problem for message in store.outbox.listed("down", dead=False)}
    assert problems == {"", "ConnectionRefusedError: Connection refused"}


def test_a_private_address_is_refused_unless_the_site_allows_it(
    store: Store, receiver: Receiver
) -> None:
    store.review("blog", held(store).id, "publish", None)
    deliver_due(store.outbox, wanting(receiver.url))
    assert receiver.requests == []
    (waiting,) = store.outbox.listed("blog", dead=False)
    assert "not a public address" in waiting.problem
    assert "webhook_private" in waiting.problem


# ------------------------------------------------------------------ several workers


def test_workers_that_deliver_at_once_send_each_message_once(
    store: Store, receiver: Receiver, configured: Settings, database_url: str
) -> None:
    for number in range(12):
        site = f"site{number % 3}"
        store.review(site, held(store, f"text {number}", site).id, "publish", None)
    others = [Store.open(database_url) for _ in range(3)]

    def work(one: Store) -> None:
        while any(sum(one.outbox.counts(f"site{n}")) for n in range(3)):
            deliver_due(one.outbox, configured)

    threads = [threading.Thread(target=work, args=(one,)) for one in (store, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert len(ids) == len(set(ids)) == 12
    for site in ("site0", "site1", "site2"):
        told = [m["data"]["external_id"] for m in receiver.verified() if m["data"]["site"] == site]
        assert told == sorted(told, key=lambda name: int(name.rpartition(" ")[2]))


def test_what_a_killed_worker_was_sending_is_sent_by_another(
    store: Store, receiver: Receiver, configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.review("blog", held(store).id, "publish", None)
    assert store.outbox.claim() is not None
    assert deliver_due(store.outbox, configured) == 0
    later(monkeypatch, 300)
    assert deliver_due(store.outbox, configured) == 1
    assert len(receiver.requests) == 1


def test_while_a_message_is_on_its_way_a_newer_one_waits(
    store: Store, receiver: Receiver, configured: Settings
) -> None:
    kept = held(store)
    store.review("blog", kept.id, "publish", None)
    first = store.outbox.claim()
    assert first is not None
    store.review("blog", kept.id, "reject", None)
    assert deliver_due(store.outbox, configured) == 0
    store.outbox.failed(first, "answered 500")
    (newer,) = store.outbox.listed("blog", dead=False)
    assert "comment.rejected" in newer.body, "the older one is of no use any more"


def test_the_started_service_delivers(
    database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    write_model(tmp_path / "models")
    given = {"url": receiver.url, "secret": SECRET, "private": "true"}
    hooks = {f"webhook_{name}": value for name, value in given.items()}
    with Served(tmp_path, "--workers", "2", database=database_url, **hooks) as served:
        sent = {"content": "Cheap pills here", "external_id": "7"}
        answer = served.call("POST", "/v1/comments", sent).json
        assert answer["decision"] == "hold"
        path = f"/v1/comments/{answer['id']}"
        served.call("POST", f"{path}/review", {"decision": "publish", "label": "ok"})
        (published,) = receiver.wait_for(1)
        assert (published["type"], published["data"]["external_id"]) == ("comment.published", "7")
        served.call("DELETE", path)
        assert receiver.wait_for(2)[1]["type"] == "comment.erased"
        assert SECRET not in served.log() and "pills" not in served.log()


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    "url",
    [
        "blog.example/hooks",
        "ftp://blog.example/",
        "https://",
        "https://user:password@blog.example/",
        "https://blog.example:notaport/",
        "https://blog.example/a b",
        "https://blög.example/",
        "https://blog.example/\r\nX-Evil: 1",
    ],
)
def test_an_address_that_cannot_be_told_is_a_bad_setting(url: str) -> None:
    with pytest.raises(BadSetting, match="MODERATION_WEBHOOK_URL"):
        wanting(url)


@pytest.mark.parametrize("secret", ["hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "A" * 200])
def test_a_weak_or_malformed_secret_is_a_bad_setting_and_not_repeated(secret: str) -> None:
    with pytest.raises(BadSetting, match="MODERATION_WEBHOOK_SECRET") as refused:
        wanting("https://blog.example/", secret)
    assert secret not in str(refused.value).replace("whsec_$", "").replace("whsec_ ", "")


def test_an_address_without_a_secret_is_a_bad_setting() -> None:
    with pytest.raises(BadSetting, match="needs a webhook_secret"):
        settings.load({"MODERATION_WEBHOOK_URL": "https://blog.example/"})
