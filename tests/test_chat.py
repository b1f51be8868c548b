"""OpenAI's chat completions, as Twikoo asks them about a comment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.endpoint import service
from tests.protocols import ABUSE, HAM, SPAM, faces_app, key_for, recorded


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return faces_app(tmp_path)


def ask(app: Flask, messages: Any, key: str | None = None, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {key or key_for(app)}"}
    body = {"model": "any", "messages": messages, "response_format": {"type": "json_object"}}
    return app.test_client().post("/v1/chat/completions", json={**body, **more}, headers=headers)


def twikoo(comment: str, nick: str = "Jane", error: str = "") -> list[dict[str, str]]:
    asked = f"Comment: {comment}\nNickname: {nick}\nWebsite: https://jane.example"
    return [
        {"role": "system", "content": "Say {} or {}."},
        {"role": "user", "content": asked + error},
    ]


@pytest.mark.parametrize(("text", "spam"), [(HAM, False), (SPAM, True), (ABUSE, True)])
def test_the_content_of_the_answer_is_the_verdict(app: Flask, text: str, spam: bool) -> None:
    answer = ask(app, twikoo(text))
    (choice,) = answer.json["choices"]
    assert json.loads(choice["message"]["content"]) == {"spam": spam}
    assert choice["finish_reason"] == "stop"


def test_what_twikoo_asks_about_is_taken_apart(app: Flask) -> None:
    again = '\n\n[ERROR FROM PREVIOUS ATTEMPT]: Your last response failed: "x".'
    ask(app, twikoo("Two\nlines, Nickname: none", error=again))
    (stored,) = recorded(app)
    assert stored.comment.content == "Two\nlines, Nickname: none"
    assert (stored.comment.author.name, stored.comment.author.url) == (
        "Jane",
        "https://jane.example",
    )


def test_any_other_text_is_the_comment_itself(app: Flask) -> None:
    answer = ask(app, [{"role": "user", "content": SPAM}])
    assert answer.json["choices"][0]["message"]["content"] == '{"spam": true}'


@pytest.mark.parametrize(
    "messages", [None, [], [{"role": "system", "content": HAM}], [{"role": "user"}], ["x"], "x"]
)
def test_without_a_comment_there_is_no_answer(app: Flask, messages: Any) -> None:
    answer = ask(app, messages)
    assert answer.status_code == 400
    assert answer.json["error"]["param"] == "messages"


def test_a_stream_and_a_wrong_key_are_refused_as_openai_would(app: Flask) -> None:
    assert ask(app, twikoo(HAM), stream=True).json["error"]["param"] == "stream"
    refused = ask(app, twikoo(HAM), key="f" * 12)
    assert refused.status_code == 401
    assert refused.json["error"]["code"] == "invalid_api_key"


def test_what_cannot_be_judged_is_held_since_twikoo_publishes_after_errors(app: Flask) -> None:
    key = key_for(app)
    assert ask(app, twikoo("x" * 70_000), key).json["choices"][0]["message"]["content"] == (
        '{"spam": true}'
    )
    with app.app_context():
        service().shelf = Broken()
    answer = ask(app, twikoo(HAM), key)
    assert answer.status_code == 200
    assert answer.json["choices"][0]["message"]["content"] == '{"spam": true}'


class Broken:
    def active(self) -> Any:
        raise RuntimeError("no model")
