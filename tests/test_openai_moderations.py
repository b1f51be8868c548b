"""OpenAI's moderations call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.openai_moderations import CATEGORIES
from tests.protocols import ABUSE, HAM, SPAM, Heads, faces_app, key_for, recorded


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return faces_app(tmp_path)


@pytest.fixture
def headers(app: Flask) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_for(app)}"}


def ask(app: Flask, headers: dict[str, str], given: Any) -> Any:
    body = {"model": "omni-moderation-latest", "input": given}
    return app.test_client().post("/v1/moderations", json=body, headers=headers)


def test_the_shape_is_the_documented_one(app: Flask, headers: dict[str, str]) -> None:
    answer = ask(app, headers, HAM).json
    assert answer["id"].startswith("modr-")
    assert answer["model"] == "heads-1"
    (result,) = answer["results"]
    assert set(result) == {
        "flagged",
        "categories",
        "category_scores",
        "category_applied_input_types",
    }
    for part in ("categories", "category_scores", "category_applied_input_types"):
        assert list(result[part]) == list(CATEGORIES)
    assert len(CATEGORIES) == 13


@pytest.mark.parametrize(
    ("text", "flagged", "true"),
    [
        (HAM, False, set()),
        (ABUSE, True, {"harassment"}),
        ("I hope you die", True, {"harassment", "harassment/threatening", "violence"}),
        (SPAM, True, set()),  # OpenAI has no category for it
    ],
)
def test_flagged_is_hold(
    app: Flask, headers: dict[str, str], text: str, flagged: bool, true: set[str]
) -> None:
    (result,) = ask(app, headers, text).json["results"]
    assert result["flagged"] is flagged
    assert {name for name, value in result["categories"].items() if value} == true
    assert all(0 <= score <= 1 for score in result["category_scores"].values())


def test_strings_are_one_result_each_and_parts_are_one_result(
    app: Flask, headers: dict[str, str]
) -> None:
    flags = [result["flagged"] for result in ask(app, headers, [HAM, ABUSE, HAM]).json["results"]]
    assert flags == [False, True, False]
    parts = [{"type": "text", "text": HAM}, {"type": "text", "text": ABUSE}]
    (result,) = ask(app, headers, parts).json["results"]
    assert result["flagged"] is True


def test_nothing_is_recorded(app: Flask, headers: dict[str, str]) -> None:
    ask(app, headers, [HAM, ABUSE])
    assert not recorded(app)


@pytest.mark.parametrize(
    "given",
    [
        None,
        7,
        [],
        [7],
        {},
        [{"type": "image_url", "image_url": {"url": "x"}}],
        [HAM, 7],
        [[1, 2]],
        "a" * 70_000,
    ],
)
def test_what_is_no_text_is_a_bad_request(
    app: Flask, headers: dict[str, str], given: object
) -> None:
    answer = ask(app, headers, given)
    assert answer.status_code == 400
    error = answer.json["error"]
    assert error["type"] == "invalid_request_error"
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b""])
def test_a_body_that_is_no_json_object_is_a_bad_request(
    app: Flask, headers: dict[str, str], body: bytes
) -> None:
    answer = app.test_client().post("/v1/moderations", data=body, headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, None)


def test_a_wrong_key_is_answered_as_openai_does(app: Flask, headers: dict[str, str]) -> None:
    for sent in ({}, {"Authorization": "Bearer wrong"}):
        answer = ask(app, sent, HAM)
        assert answer.status_code == 401
        assert answer.json["error"]["code"] == "invalid_api_key"


def test_where_the_model_fails_it_is_flagged(tmp_path: Path) -> None:
    class Failing(Heads):
        def assess(self, comments: Any) -> Any:
            raise RuntimeError

    app = faces_app(tmp_path, Failing())
    (result,) = ask(app, {}, HAM).json["results"]
    assert result["flagged"] is True
