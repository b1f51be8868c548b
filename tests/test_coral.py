"""Coral's external moderation phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.coral import signature
from tests.protocols import ABUSE, HAM, SPAM, Heads, faces_app, key_for, recorded, store_of

SECRET, OTHER = "a" * 64, "b" * 64


def payload(body: str, **author: str) -> bytes:
    """As Coral writes it: indented, so that a re-dump would have another signature."""
    sent = {
        "action": "NEW",
        "comment": {"body": body, "parentID": None},
        "author": {"id": "7", "role": "COMMENTER", **author},
        "story": {"id": "s", "url": "https://news.example/story"},
        "site": {"id": "1"},
        "tenantID": "t",
        "tenantDomain": "news.example",
    }
    return json.dumps(sent, indent=2).encode()


def send(app: Flask, raw: bytes, *secrets: str) -> Any:
    signed = ",".join(f"sha256={signature(secret, raw)}" for secret in secrets)
    headers = {"X-Coral-Signature": signed} if secrets else {}
    return app.test_client().post(
        "/coral", data=raw, headers=headers, content_type="application/json"
    )


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = faces_app(tmp_path, coral_secrets=SECRET)
    key_for(app)
    return app


def test_no_opinion_on_what_can_be_published(app: Flask) -> None:
    answer = send(app, payload(HAM), SECRET)
    assert (answer.status_code, answer.json) == (200, {})


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (SPAM, ["COMMENT_DETECTED_SPAM"]),
        (ABUSE, ["COMMENT_DETECTED_TOXIC"]),
        (SPAM + ABUSE, ["COMMENT_DETECTED_SPAM", "COMMENT_DETECTED_TOXIC"]),
        ("http://a.example http://b.example http://c.example", []),
        ("Это другой язык, а не тот, который знает модель", []),
    ],
)
def test_what_is_held_is_withheld_and_flagged_with_reasons_that_coral_knows(
    app: Flask, body: str, reasons: list[str]
) -> None:
    answer = send(app, payload(body), SECRET).json
    assert answer["status"] == "SYSTEM_WITHHELD"
    assert [action["reason"] for action in answer["actions"]] == reasons
    assert {action["actionType"] for action in answer["actions"]} <= {"FLAG"}


def test_it_is_recorded_with_author_and_story_and_once(app: Flask) -> None:
    for _ in range(2):
        send(app, payload(ABUSE), SECRET)
    (stored,) = recorded(app)
    assert (stored.comment.author.id, stored.status) == ("7", "held")
    assert stored.comment.article.url == "https://news.example/story"


def test_staff_may_link(app: Flask) -> None:
    links = "http://a.example http://b.example http://c.example"
    assert send(app, payload(links, role="MODERATOR"), SECRET).json == {}


def test_only_the_bytes_that_were_signed_count(app: Flask) -> None:
    raw = payload(SPAM)
    signed = {"X-Coral-Signature": f"sha256={signature(SECRET, raw)}"}
    again = json.dumps(json.loads(raw)).encode()
    for body in (again, raw + b" ", payload(HAM)):
        answer = app.test_client().post("/coral", data=body, headers=signed)
        assert answer.status_code == 401
    assert not recorded(app)


@pytest.mark.parametrize(
    "header", ["", "sha256=", "sha256=zz", "garbage,,=", "sha256=" + "0" * 64, "sha1=00", "é"]
)
def test_without_a_signature_by_a_known_secret_it_is_refused(app: Flask, header: str) -> None:
    headers = {"X-Coral-Signature": header}
    answer = app.test_client().post("/coral", data=payload(SPAM), headers=headers)
    assert answer.status_code == 401
    assert "MODERATION_CORAL_SECRETS" in answer.json["detail"]


def test_both_secrets_count_while_one_is_replaced(tmp_path: Path) -> None:
    app = faces_app(tmp_path, coral_secrets=f"{SECRET}, {OTHER}")
    assert send(app, payload(SPAM), OTHER).status_code == 200
    assert send(app, payload(SPAM), SECRET).status_code == 200
    only_new = faces_app(tmp_path, coral_secrets=OTHER)
    assert send(only_new, payload(SPAM), SECRET, OTHER).status_code == 200
    assert send(only_new, payload(SPAM), SECRET).status_code == 401


def test_the_secret_tells_the_site(tmp_path: Path) -> None:
    config = tmp_path / "moderation.toml"
    config.write_text(f'[sites.news]\ncoral_secrets = ["{OTHER}"]\n', encoding="utf-8")
    app = faces_app(tmp_path, config=config, coral_secrets=SECRET)
    send(app, payload(ABUSE), OTHER)
    assert [len(recorded(app, site)) for site in ("default", "news")] == [0, 1]


def test_the_secret_is_never_shown(app: Flask) -> None:
    assert SECRET not in repr(app.extensions["moderation"].settings)


def test_a_first_try_on_ones_own_machine_needs_no_secret(tmp_path: Path) -> None:
    app = faces_app(tmp_path)
    assert send(app, payload(SPAM)).json["status"] == "SYSTEM_WITHHELD"
    key_for(app)
    assert send(app, payload(SPAM)).status_code == 401


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"comment":{"body":7}}', b'{"comment":"x"}', b"\xff"]
)
def test_what_we_do_not_understand_is_withheld(app: Flask, raw: bytes) -> None:
    assert send(app, raw, SECRET).json == {"status": "SYSTEM_WITHHELD"}


@pytest.mark.parametrize(
    ("choice", "said"), [("hold", {"status": "SYSTEM_WITHHELD"}), ("publish", {})]
)
def test_where_we_fail_it_is_withheld_or_goes_on_as_the_site_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, said: dict[str, str]
) -> None:
    app = faces_app(tmp_path, Heads(), on_error=choice, coral_secrets=SECRET)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(store_of(app), "submit", broken)
    answer = send(app, payload(HAM), SECRET)
    assert (answer.status_code, answer.json) == (200, said)


def test_longer_than_the_site_takes_is_withheld(app: Flask) -> None:
    assert send(app, payload("a" * 70_000), SECRET).json == {"status": "SYSTEM_WITHHELD"}
