"""The native API, as a blog's backend and a moderator's script use it."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema

from moderation.api.answer_schemas import QueueSchema, RecordSchema, VerdictSchema
from moderation.endpoint import service
from moderation.labelled_csv import neutralise, restore
from tests.serving import app_in, client_of

FULL: dict[str, Any] = {
    "content": "Cheap <b>pills</b> for you",
    "author": {
        "name": "Ann",
        "email": "ann@example.com",
        "url": "https://ann.example",
        "ip": "203.0.113.7",
        "user_agent": "Firefox",
        "id": "7",
        "trusted": False,
    },
    "article": {
        "url": "https://blog.example/bread",
        "title": "Bread",
        "text": "On bread.",
        "published_at": "2026-01-02T03:04:05Z",
    },
    "parent": "What do you take?",
    "form": {"honeypot": "", "seconds": 12.5},
    "external_id": "blog-1",
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path)


@pytest.fixture
def client(app: Flask) -> Any:
    return client_of(app)


def submit(client: Any, content: str = "A fine day", **more: Any) -> dict[str, Any]:
    response = client.post("/v1/comments", json={"content": content, **more})
    assert response.status_code == 200, response.text
    verdict: dict[str, Any] = response.json
    return verdict


def conforms(schema: Schema, data: Any) -> bool:
    return not schema.validate(data)


def test_a_full_comment_gets_a_verdict_of_the_documented_shape(client: Any) -> None:
    verdict = client.post("/v1/comments", json=FULL).json
    assert conforms(VerdictSchema(), verdict)
    assert [*verdict] == [
        "id",
        "decision",
        "reasons",
        "scores",
        "html",
        "changes",
        "language",
        "degraded",
        "model",
        "second_opinion",
    ]
    assert (verdict["decision"], verdict["degraded"], verdict["model"]) == (
        "hold",
        False,
        "words-1",
    )
    assert verdict["html"] == "Cheap <b>pills</b> for you"
    assert verdict["reasons"] == [
        {
            "code": "spam",
            "score": 0.999,
            "message": 'Reads like advertising: "pills".',
            "spans": [{"start": 9, "end": 14, "text": "pills", "weight": 2.5}],
        }
    ]


def test_only_content_is_required(client: Any) -> None:
    verdict = submit(client)
    assert (verdict["decision"], verdict["reasons"]) == ("publish", [])
    assert verdict["scores"] == {"spam": 0.01, "abuse": 0.01}


def test_null_means_not_known(client: Any) -> None:
    nothing: dict[str, Any] = {
        "author": {"name": None, "trusted": None},
        "article": None,
        "form": None,
    }
    assert submit(client, parent=None, external_id=None, **nothing)["decision"] == "publish"


def test_content_may_have_65536_characters_and_not_one_more(client: Any) -> None:
    assert submit(client, "é" * 65_536)["decision"] == "publish"
    assert client.post("/v1/comments", json={"content": "é" * 65_537}).status_code == 422
    assert client.post("/v1/comments", json={"content": ""}).status_code == 422


def test_a_site_may_take_less(tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path, max_length=10))
    assert submit(client, "0123456789")["decision"] == "publish"
    response = client.post("/v1/comments", json={"content": "0123456789a"})
    assert response.json["errors"] == {"content": ["Longer than 10 characters."]}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"contnt": "x"}, "contnt"),
        ({"author": {"nmae": "x"}}, "author.nmae"),
        ({"author": {"name": 7}}, "author.name"),
        ({"author": "Ann"}, "author"),
        ({"author": {"trusted": "yes"}}, "author.trusted"),
        ({"author": {"trusted": 1}}, "author.trusted"),
        ({"form": {"seconds": "12.5"}}, "form.seconds"),
        ({"form": {"seconds": True}}, "form.seconds"),
        ({"article": []}, "article"),
        ({"parent": {}}, "parent"),
        ({"external_id": 7}, "external_id"),
        ({"external_id": "x" * 257}, "external_id"),
        ({"content": 7}, "content"),
        ({"content": None}, "content"),
        ({"content": ["x"]}, "content"),
        ({"content": "a\0b"}, "content"),
        ({"content": "a\ud800b"}, "content"),
        ({"author": {"name": "\udfff"}}, "author.name"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(client: Any, given: dict[str, Any], field: str) -> None:
    response = client.post("/v1/comments", json={"content": "x", **given})
    assert response.status_code == 422
    assert [*response.json["errors"]] == [field]
    assert field in response.json["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"content": "x"} x',
        b'{"content": NaN}',
        b'{"form": {"seconds": Infinity}, "content": "x"}',
        b'{"content": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"content": ' + b"1" * 5000 + b"}",
    ],
    ids=["empty", "cut", "more", "nan", "infinity", "latin", "deep", "deeper", "digits"],
)
def test_what_is_not_json_is_refused(client: Any, body: bytes) -> None:
    response = client.post("/v1/comments", data=body, content_type="application/json")
    assert (response.status_code, response.json["title"]) == (400, "Broken JSON")


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_beyond_all_bounds_is_refused(client: Any, number: str) -> None:
    body = f'{{"content": "x", "form": {{"seconds": {number}}}}}'
    response = client.post("/v1/comments", data=body, content_type="application/json")
    assert [*response.json["errors"]] == ["form.seconds"]


@pytest.mark.parametrize("document", ["[]", '"x"', "7", "null", "true"])
def test_a_comment_is_an_object(client: Any, document: str) -> None:
    response = client.post("/v1/comments", data=document, content_type="application/json")
    assert (response.status_code, [*response.json["errors"]]) == (422, ["body"])


def test_a_byte_order_mark_is_no_harm(client: Any) -> None:
    body = b'\xef\xbb\xbf{"content": "x"}'
    response = client.post("/v1/comments", data=body, content_type="application/json")
    assert response.status_code == 200


def test_html_is_sanitised_in_the_verdict(client: Any) -> None:
    verdict = submit(client, "<script>alert(1)</script> 2 < 3 <b>x")
    assert "<script" not in verdict["html"]
    assert {"what": "tag", "name": "script", "action": "escaped", "count": 1} in verdict["changes"]


def test_a_comment_is_recorded_and_can_be_read(client: Any) -> None:
    verdict = client.post("/v1/comments", json=FULL).json
    record = client.get(f"/v1/comments/{verdict['id']}").json
    assert conforms(RecordSchema(), record)
    assert record["verdict"] == verdict
    assert (record["status"], record["label"], record["reviews"]) == ("held", None, [])
    assert record["content"] == FULL["content"]
    assert record["author"] == {**FULL["author"], "ip": ""}
    assert record["article"] == FULL["article"]
    assert (record["parent"], record["external_id"]) == (FULL["parent"], "blog-1")


def test_record_false_judges_and_stores_nothing(client: Any) -> None:
    verdict = client.post("/v1/comments?record=false", json={"content": "pills"}).json
    assert (verdict["id"], verdict["decision"]) == (None, "hold")
    assert conforms(VerdictSchema(), verdict)
    assert client.get("/v1/comments").json["comments"] == []


@pytest.mark.parametrize("query", ["record=maybe", "recrod=false"])
def test_a_query_that_is_not_understood_is_refused(client: Any, query: str) -> None:
    response = client.post(f"/v1/comments?{query}", json={"content": "x"})
    assert (response.status_code, [*response.json["errors"]]) == (422, [query.partition("=")[0]])


def test_the_same_external_id_gets_the_first_verdict(client: Any) -> None:
    first = submit(client, "pills", external_id="7")
    assert submit(client, "pills", external_id="7") == first
    assert len(client.get("/v1/comments").json["comments"]) == 1


def test_the_same_idempotency_key_gets_the_first_verdict_or_a_conflict(client: Any) -> None:
    def send(content: str) -> Any:
        return client.post(
            "/v1/comments", json={"content": content}, headers={"Idempotency-Key": "k"}
        )

    first = send("pills")
    assert send("pills").json == first.json
    assert send("other").status_code == 409
    too_long = {"Idempotency-Key": "k" * 256}
    response = client.post("/v1/comments", json={"content": "x"}, headers=too_long)
    assert [*response.json["errors"]] == ["Idempotency-Key"]


def test_a_repeated_text_is_held_only_once_it_was_recorded(client: Any) -> None:
    text = {"content": "I sell these shoes at https://shoes.example, see there"}
    for _ in range(2):
        assert client.post("/v1/comments?record=false", json=text).json["decision"] == "publish"
    submit(client, **text)
    assert [r["code"] for r in submit(client, **text)["reasons"]] == ["duplicate"]


def test_a_bad_item_of_a_batch_is_a_problem_in_its_place(client: Any) -> None:
    items = [{"content": "A fine day"}, {"contnt": "x"}, 7, {"content": "pills"}, None]
    verdicts = client.post("/v1/comments/batch", json={"comments": items}).json["verdicts"]
    assert [v.get("decision") for v in verdicts] == ["publish", None, None, "hold", None]
    assert verdicts[1]["status"] == 422
    assert [*verdicts[1]["errors"]] == ["content", "contnt"]
    assert [*verdicts[2]["errors"]] == [*verdicts[4]["errors"]] == ["body"]
    assert all(conforms(VerdictSchema(), verdicts[place]) for place in (0, 3))
    assert len(client.get("/v1/comments").json["comments"]) == 2


def test_a_batch_has_at_most_1000_comments(client: Any) -> None:
    def send(count: int) -> Any:
        comments = [{"content": f"Number {n}"} for n in range(count)]
        return client.post("/v1/comments/batch?record=false", json={"comments": comments})

    assert len(send(1000).json["verdicts"]) == 1000
    assert [*send(1001).json["errors"]] == ["comments"]
    assert send(0).json == {"verdicts": []}


def test_a_batch_sent_again_stores_nothing_twice(client: Any) -> None:
    submit(client, "Known before", external_id="b")
    comments = [{"content": "a"}, {"content": "Known before", "external_id": "b"}, {"content": "c"}]
    headers = {"Idempotency-Key": "k"}

    def send() -> Any:
        return client.post("/v1/comments/batch", json={"comments": comments}, headers=headers).json

    first = send()
    assert send() == first
    assert len(client.get("/v1/comments").json["comments"]) == 3


def test_the_queue_is_paged_filtered_and_ordered(client: Any) -> None:
    for number in range(5):
        submit(client, f"pills number {number}")
    submit(client, "What an idiot")
    submit(client, "Bread and butter")
    seen, cursor = [], None
    while True:
        query = {"status": "held", "reason": "spam", "order": "oldest", "limit": 2}
        page = client.get(
            "/v1/comments", query_string={**query, **({"cursor": cursor} if cursor else {})}
        ).json
        assert conforms(QueueSchema(), page)
        seen += [comment["content"] for comment in page["comments"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == [f"pills number {number}" for number in range(5)]
    found = client.get("/v1/comments?q=BREAD").json["comments"]
    assert [comment["status"] for comment in found] == ["published"]
    assert len(client.get("/v1/comments?cursor=").json["comments"]) == 7
    assert client.get("/v1/comments?status=rejected").json == {"comments": [], "next": None}


@pytest.mark.parametrize(
    "query",
    ["status=lost", "reason=bad", "order=random", "limit=0", "limit=201", "limit=x", "page=2"],
)
def test_a_queue_that_does_not_exist_is_refused(client: Any, query: str) -> None:
    response = client.get(f"/v1/comments?{query}")
    assert (response.status_code, [*response.json["errors"]]) == (422, [query.partition("=")[0]])


def test_a_foreign_cursor_is_refused(client: Any) -> None:
    response = client.get("/v1/comments?cursor=abc")
    assert (response.status_code, response.json["title"]) == (422, "Bad cursor")


def test_a_later_review_replaces_an_earlier_one_and_history_is_kept(client: Any) -> None:
    address = f"/v1/comments/{submit(client, 'pills')['id']}/review"
    rejected = client.post(address, json={"decision": "reject", "label": "spam", "note": "ad"}).json
    assert (rejected["status"], rejected["label"]) == ("rejected", "spam")
    undone = client.post(address, json={"decision": "publish"}).json
    assert conforms(RecordSchema(), undone)
    assert (undone["status"], undone["label"]) == ("published", None)
    assert [(r["decision"], r["label"], r["note"]) for r in undone["reviews"]] == [
        ("reject", "spam", "ad"),
        ("publish", None, ""),
    ]


def test_a_review_is_refused_where_another_came_since_the_one_that_was_seen(client: Any) -> None:
    address = f"/v1/comments/{submit(client, 'pills')['id']}/review"
    first = client.post(address, json={"decision": "reject", "label": "spam", "seen": 0}).json
    late = client.post(address, json={"decision": "publish", "seen": 0})
    assert (late.status_code, late.json["title"]) == (409, "Reviewed since")
    seen = first["reviews"][-1]["id"]
    assert client.post(address, json={"decision": "publish", "seen": seen}).status_code == 200
    assert client.post(address, json={"decision": "publish", "seen": None}).status_code == 200


def test_the_queue_is_filtered_by_language_author_and_likeness(client: Any) -> None:
    scam = "Write to {} for pills, I lost everything until pills came to me from that doctor."
    ann = {"name": "Ann", "email": "ann@example.com"}
    first, second = (
        submit(client, scam.format("Ali"), author=ann),
        submit(client, scam.format("Bo")),
    )
    other = submit(client, "pills, and nothing else is the same here at all", author=ann)

    def found(query: str) -> set[str]:
        return {one["id"] for one in client.get(f"/v1/comments?{query}").json["comments"]}

    assert found(f"like={first['id']}") == {first["id"], second["id"]}
    assert found(f"author={first['id']}") == {first["id"], other["id"]}
    assert found("language=de") == set()
    assert found("language=en") == {first["id"], second["id"], other["id"]}
    assert found("like=nothing") == set()


@pytest.mark.parametrize(
    ("review", "field"),
    [
        ({}, "decision"),
        ({"decision": "hold"}, "decision"),
        ({"decision": "publish", "label": "ham"}, "label"),
        ({"decision": "publish", "note": 7}, "note"),
        ({"decision": "publish", "by": "me"}, "by"),
    ],
)
def test_a_review_that_says_nothing_known_is_refused(
    client: Any, review: dict[str, Any], field: str
) -> None:
    address = f"/v1/comments/{submit(client)['id']}/review"
    response = client.post(address, json=review)
    assert (response.status_code, [*response.json["errors"]]) == (422, [field])


def test_an_erased_comment_is_gone_with_its_label(client: Any) -> None:
    address = f"/v1/comments/{submit(client, 'pills')['id']}"
    client.post(f"{address}/review", json={"decision": "reject", "label": "spam"})
    response = client.delete(address)
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404
    assert client.post(f"{address}/review", json={"decision": "publish"}).status_code == 404
    assert "pills" not in client.get("/v1/labels.csv").text


def test_labels_leave_as_csv_that_no_spreadsheet_runs(client: Any) -> None:
    texts = ["=1+1", "plain, with comma", "'=quoted", "@x", "two\nlines", "-3"]
    for text in texts:
        address = f"/v1/comments/{submit(client, text)['id']}/review"
        client.post(address, json={"decision": "publish", "label": "ok"})
    response = client.get("/v1/labels.csv")
    assert response.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert not [row for row in rows if row["text"][0] in "=+-@\t\r"]
    assert [restore(row["text"]) for row in rows] == texts
    assert {row["label"] for row in rows} == {"ok"}


@pytest.mark.parametrize("cell", ["", "a", "'", "'a", "=", "'=", "''=", "\tx", "\rx", "+1", "a=b"])
def test_a_neutralised_cell_is_restored_exactly(cell: str) -> None:
    assert restore(neutralise(cell)) == cell


def test_the_policy_says_what_the_sanitiser_does(client: Any, tmp_path: Path) -> None:
    policy = client.get("/v1/policy").json
    assert policy["site"] == "default"
    assert "<b>" in policy["sentence"]
    assert "b" in policy["tags"]
    other = client_of(app_in(tmp_path / "text", html_preset="text")).get("/v1/policy").json
    assert other["tags"] == {}


def test_models_are_listed_and_switched_without_a_restart(client: Any) -> None:
    listed = client.get("/v1/models").json
    assert listed["active"] == "words-1"
    assert [(m["version"], m["active"]) for m in listed["models"]] == [
        ("words-1", True),
        ("words-2", False),
    ]
    assert client.post("/v1/models/words-2/activate").json == {"active": "words-2"}
    assert submit(client)["model"] == "words-2"
    response = client.post("/v1/models/words-3/activate")
    assert (response.status_code, response.json["title"]) == (404, "Unknown model")
    assert submit(client)["model"] == "words-2"


def test_health_needs_nothing_and_readiness_needs_model_and_store(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "model": "words-1"}
    with app.app_context():
        model = service().shelf.active()
    monkeypatch.setattr(model, "assess", lambda comments: 1 / 0)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_figures_count_verdicts_by_decision_and_reason(client: Any) -> None:
    submit(client)
    submit(client, "pills", external_id="1")
    submit(client, "pills", external_id="1")  # the first verdict again: nothing was judged
    client.get("/nowhere")
    lines = client.get("/metrics").text.splitlines()
    assert 'moderation_verdicts_total{decision="publish",model="words-1"} 1.0' in lines
    assert 'moderation_verdicts_total{decision="hold",model="words-1"} 1.0' in lines
    assert 'moderation_reasons_total{reason="spam"} 1.0' in lines
    assert 'moderation_model_info{version="words-1"} 1.0' in lines
    assert 'moderation_request_seconds_count{call="submit_comment",status="2xx"} 3.0' in lines
    assert 'moderation_request_seconds_count{call="none",status="4xx"} 1.0' in lines


def test_equal_keys_at_the_same_moment_make_one_record(app: Flask) -> None:
    answers: list[bytes] = []

    def send() -> None:
        client = client_of(app)
        answers.append(
            client.post(
                "/v1/comments",
                data=json.dumps({"content": "pills"}),
                content_type="application/json",
                headers={"Idempotency-Key": "same"},
            ).data
        )

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*answers}) == 1
    assert len(client_of(app).get("/v1/comments").json["comments"]) == 1


@pytest.fixture
def busy(app: Flask) -> Iterator[Flask]:
    """An app whose places are all taken, and in which nobody waits long."""
    with app.app_context():
        service().singles._free = service().singles._queue = 0
        service().batches._seconds = 0.01
        service().batches._free.acquire()
    yield app


def test_more_than_the_machine_can_judge_is_sent_away(busy: Flask) -> None:
    client = client_of(busy)
    single = client.post("/v1/comments", json={"content": "x"})
    batch = client.post("/v1/comments/batch", json={"comments": []})
    assert (single.status_code, batch.status_code) == (503, 429)
    assert {single.headers["Retry-After"], batch.headers["Retry-After"]} == {"1"}
    assert client.get("/v1/comments").json["comments"] == []
    assert client.get("/healthz").status_code == 200
