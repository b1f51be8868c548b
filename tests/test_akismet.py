"""Akismet's protocol, byte for byte as its clients compare it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from moderation.akismet import THANKS
from moderation.errors import StoreUnavailable
from moderation.verdict import Comment
from tests.protocols import ABUSE, HAM, SPAM, Heads, faces_app, key_for, recorded, store_of
from tests.serving import Served, write_model

CHECK = "/1.1/comment-check"
VERIFY = "/1.1/verify-key"
WRONG = "f" * 12
BLOG = {
    "blog": "http://blog.example/",
    "user_ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "comment_type": "comment",
    "comment_author": "Jane Reader",
    "comment_author_email": "jane@reader.example",
    "permalink": "http://blog.example/bread",
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return faces_app(tmp_path)


@pytest.fixture
def key(app: Flask) -> str:
    return key_for(app)


class Blog:
    """A blog that speaks Akismet."""

    def __init__(self, app: Flask, key: str) -> None:
        self.client: Any = app.test_client()
        self.key = key

    def post(self, path: str, **fields: Any) -> Any:
        return self.client.post(path, data={"api_key": self.key, **fields})

    def check(self, content: str, **fields: Any) -> Any:
        return self.post(CHECK, **{**BLOG, "comment_content": content, **fields})

    def report(self, kind: str, content: str, **fields: Any) -> Any:
        return self.post(f"/1.1/submit-{kind}", **{**BLOG, "comment_content": content, **fields})


@pytest.fixture
def blog(app: Flask, key: str) -> Iterator[Blog]:
    yield Blog(app, key)


# Keys


def test_a_good_key_is_valid_and_any_other_is_not_with_status_200(blog: Blog) -> None:
    good = blog.client.post(VERIFY, data={"key": blog.key, "blog": "http://blog.example/"})
    bad = blog.client.post(VERIFY, data={"key": WRONG, "blog": "http://blog.example/"})
    assert (good.status_code, good.data) == (200, b"valid")
    assert (bad.status_code, bad.data) == (200, b"invalid")
    assert "moderation keys create" in bad.headers["X-akismet-debug-help"]


def test_where_no_key_was_sent_that_is_said(blog: Blog) -> None:
    none = blog.client.post(CHECK, data={**BLOG, "comment_content": SPAM})
    broken = blog.client.post(CHECK, data="{broken", content_type="application/json")
    for answer in (none, broken):
        assert (answer.status_code, answer.data) == (200, b"invalid")
        assert answer.headers["X-akismet-debug-help"].startswith("No key was sent")


def test_wordpress_sends_its_stored_key_beside_the_one_to_judge(blog: Blog) -> None:
    assert blog.post(VERIFY, key=WRONG).data == b"invalid"


def test_nodebb_sends_the_key_to_judge_as_api_key(blog: Blog) -> None:
    assert blog.post(VERIFY).data == b"valid"


@pytest.mark.parametrize("suffix", [".rest.akismet.com", ".rest.akismet.com:80", ".example:8080"])
def test_the_key_may_be_the_first_label_of_the_host_in_any_case(blog: Blog, suffix: str) -> None:
    for label in (blog.key, blog.key.upper()):
        headers = {"Host": label + suffix}
        fields = {**BLOG, "comment_content": SPAM}
        assert blog.client.post(CHECK, data=fields, headers=headers).data == b"true"
        assert blog.client.post(VERIFY, data={"blog": "b"}, headers=headers).data == b"valid"


def test_the_key_may_be_the_user_of_basic_authentication(blog: Blog) -> None:
    credentials = base64.b64encode(f"{blog.key}.x:".encode()).decode()
    fields = {**BLOG, "comment_content": SPAM}
    headers = {"Authorization": f"Basic {credentials}"}
    assert blog.client.post(CHECK, data=fields, headers=headers).data == b"true"


def test_basic_authentication_of_a_proxy_in_front_is_no_key(blog: Blog) -> None:
    credentials = base64.b64encode(b"admin:secret").decode()
    headers = {"Authorization": f"Basic {credentials}", "Host": f"{blog.key}.example"}
    fields = {**BLOG, "comment_content": SPAM}
    assert blog.client.post(CHECK, data=fields, headers=headers).data == b"true"


def test_the_key_may_stand_in_the_query(blog: Blog) -> None:
    fields = {**BLOG, "comment_content": SPAM}
    assert blog.client.post(f"{CHECK}?api_key={blog.key}", data=fields).data == b"true"


def test_a_key_of_another_site_records_there(app: Flask, blog: Blog) -> None:
    Blog(app, key_for(app, site="news")).check(HAM)
    assert [len(recorded(app, site)) for site in ("default", "news")] == [0, 1]


@pytest.mark.parametrize("call", ["comment-check", "submit-spam", "submit-ham", "get-stats"])
def test_with_a_wrong_key_every_call_is_invalid(app: Flask, blog: Blog, call: str) -> None:
    answer = blog.post(f"/1.1/{call}", **{**BLOG, "comment_content": SPAM, "api_key": WRONG})
    assert (answer.status_code, answer.data) == (200, b"invalid")
    assert answer.headers["X-akismet-debug-help"]
    assert answer.headers["X-akismet-guid"]  # without, WordPress would publish
    assert not recorded(app)


def test_a_revoked_key_is_invalid(app: Flask, blog: Blog) -> None:
    store_of(app).keys.revoke(blog.key)
    assert blog.check(HAM).data == b"invalid"


@pytest.mark.parametrize(("key", "said"), [("anything1234", b"valid"), ("short", b"invalid")])
def test_while_the_service_runs_open_whatever_looks_like_a_key_is_one(
    app: Flask, key: str, said: bytes
) -> None:
    assert app.test_client().post(VERIFY, data={"key": key}).data == said


# Verdicts


def test_the_body_is_the_bare_word_as_plain_text(blog: Blog) -> None:
    for content, word in ((HAM, b"false"), (SPAM, b"true")):
        answer = blog.check(content)
        assert (answer.status_code, answer.data) == (200, word)
        assert answer.mimetype == "text/plain"
        assert answer.headers["Content-Length"] == str(len(word))


def test_the_guid_is_another_one_on_every_answer(blog: Blog) -> None:
    answers = [blog.check(HAM) for _ in range(3)] + [blog.post(VERIFY), blog.check(HAM, is_test=1)]
    assert len({answer.headers["X-akismet-guid"] for answer in answers}) == len(answers)


def test_spam_is_plain_true(blog: Blog) -> None:
    answer = blog.check(SPAM)
    assert "X-akismet-error" not in answer.headers
    assert "X-akismet-pro-tip" not in answer.headers


def test_what_else_is_held_goes_to_a_person(blog: Blog) -> None:
    answer = blog.check(ABUSE)
    assert answer.data == b"true"
    assert answer.headers["X-akismet-error"] == "abuse"
    assert "attack" in answer.headers["X-akismet-debug-help"]
    assert "idiot" not in str(answer.headers)  # a comment is nobody's header


def test_blatant_spam_may_be_dropped_only_where_the_site_allows_it(tmp_path: Path) -> None:
    for share, tip in (("off", None), ("0.98", "discard"), ("0.995", None)):
        app = faces_app(tmp_path / share, akismet_discard=share)
        answer = Blog(app, key_for(app)).check(SPAM)
        assert (answer.data, answer.headers.get("X-akismet-pro-tip")) == (b"true", tip)


@pytest.mark.parametrize(
    "field",
    [
        {"comment_author": "akismet-guaranteed-spam"},
        {"comment_author": "viagra-test-123"},
        {"comment_author_email": "akismet-guaranteed-spam@example.com"},
    ],
)
def test_the_test_values_are_always_spam_and_never_recorded(
    app: Flask, blog: Blog, field: dict[str, str]
) -> None:
    assert blog.check(HAM, **field).data == b"true"
    assert not recorded(app)


def test_an_administrator_is_never_held(blog: Blog) -> None:
    for role in ("administrator", "editor,administrator"):
        assert blog.check(SPAM, user_role=role).data == b"false"
    assert blog.check(SPAM, user_role="editor").data == b"true"


def test_the_field_that_is_named_as_honeypot_must_stay_empty(blog: Blog) -> None:
    filled = blog.check(HAM, honeypot_field_name="hidden_one", hidden_one="x")
    empty = blog.check(HAM, honeypot_field_name="hidden_one", hidden_one="")
    unnamed = blog.check(HAM, hidden_one="x")
    assert [answer.data for answer in (filled, empty, unnamed)] == [b"true", b"false", b"false"]
    assert "X-akismet-error" not in filled.headers


def test_the_same_comment_again_is_neither_duplicate_nor_flood_and_recorded_once(
    app: Flask, blog: Blog
) -> None:
    answers = [blog.check(HAM).data for _ in range(8)]
    answers.append(blog.check(HAM, recheck_reason="recheck_queue", user_ip="198.51.100.1").data)
    assert answers == [b"false"] * 9
    assert len(recorded(app)) == 1


def test_wordpress_extra_fields_are_ignored_and_not_kept(app: Flask, blog: Blog) -> None:
    extra = {
        "POST_ak_js": "1",
        "HTTP_REFERER": "http://secret.example",
        "akismet_comment_nonce": "inactive",
        "comment_context[]": ["bread", "baking"],
        "comment_post_ID": "7",
        "blog_lang": "en_US",
    }
    assert blog.check(HAM, **extra).data == b"false"
    (stored,) = recorded(app)
    assert stored.comment == Comment(
        HAM,
        stored.comment.author,
        stored.comment.article,
        external_id=stored.comment.external_id,
    )
    assert "secret.example" not in str(stored)


def test_author_and_page_reach_the_checks_and_the_address_is_not_kept(
    app: Flask, blog: Blog
) -> None:
    blog.check(HAM, user_ip="::ffff:192.0.2.7", comment_author_url="https://jane.example")
    author = recorded(app)[0].comment.author
    assert (author.name, author.email) == ("Jane Reader", "jane@reader.example")
    assert (author.url, author.ip) == ("https://jane.example", "")
    assert recorded(app)[0].comment.article.url == "http://blog.example/bread"


def test_without_blog_it_is_invalid_and_says_what_is_missing(blog: Blog) -> None:
    answer = blog.post(CHECK, comment_content=HAM)
    assert answer.data == b"invalid"
    assert answer.headers["X-akismet-debug-help"] == "Missing required field: blog."


def test_all_but_blog_and_content_may_be_missing(blog: Blog) -> None:
    assert blog.post(CHECK, blog="http://b.example", comment_content=HAM).data == b"false"
    assert blog.post(CHECK, blog="http://b.example", comment_type="signup").data == b"false"


@pytest.mark.parametrize("written", ["1", "true", "True", "TRUE"])
def test_a_test_is_judged_but_never_recorded_nor_learnt_from(
    app: Flask, blog: Blog, written: str
) -> None:
    assert blog.check(SPAM, is_test=written).data == b"true"
    assert blog.check(HAM, is_test=written).data == b"false"
    assert blog.report("ham", SPAM, is_test=written).text == THANKS
    assert not recorded(app)


@pytest.mark.parametrize("written", ["false", "False", "0", ""])
def test_what_is_no_test_is_recorded(app: Flask, blog: Blog, written: str) -> None:
    assert blog.check(SPAM, is_test=written).data == b"true"
    assert len(recorded(app)) == 1


# Shapes of requests


def test_json_bodies_are_read_like_forms(app: Flask, blog: Blog) -> None:
    fields = {**BLOG, "comment_content": SPAM, "is_test": False, "comment_parent": None, "n": 7}
    headers = {"Host": f"{blog.key}.rest.akismet.com"}
    assert blog.client.post(CHECK, json=fields, headers=headers).data == b"true"
    test = {**fields, "is_test": True, "comment_content": "Other pills"}
    assert blog.client.post(CHECK, json=test, headers=headers).data == b"true"
    assert len(recorded(app)) == 1


def test_multipart_forms_are_read_too(blog: Blog) -> None:
    fields = {"api_key": blog.key, **BLOG, "comment_content": SPAM}
    answer = blog.client.post(CHECK, data=fields, content_type="multipart/form-data")
    assert answer.data == b"true"


@pytest.mark.parametrize("body", [b"{broken", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_json_that_is_none_has_no_key(blog: Blog, body: bytes) -> None:
    assert blog.client.post(CHECK, data=body, content_type="application/json").data == b"invalid"


def test_bytes_that_are_no_utf8_are_read_in_the_charset_of_the_blog(app: Flask, blog: Blog) -> None:
    def content(raw: bytes, charset: str) -> str:
        head = f"api_key={blog.key}&blog=http%3A%2F%2Fb.example&blog_charset={charset}"
        body = head.encode() + b"&comment_content=" + raw
        kind = "application/x-www-form-urlencoded"
        assert blog.client.post(CHECK, data=body, content_type=kind).data in (b"true", b"false")
        return str(recorded(app)[0].comment.content)

    assert content(b"Gr%F6%DFe", "ISO-8859-1") == "Größe"
    assert content(b"Gr%C3%B6%C3%9Fe", "ISO-8859-1") == "Größe"
    assert content(b"\xc0\xe1%E2", "windows-1251") == "Абв"
    assert content(b"a%FFb", "rot13") == "a\ufffdb"
    assert content(b"a%00b", "UTF-8") == "a\ufffdb"


def test_a_comment_of_a_megabyte_twice_in_the_form_is_answered(blog: Blog) -> None:
    long = (HAM + " ") * 1_000
    assert blog.check(long, POST_comment=long * 15).data == b"false"


def test_longer_than_the_site_takes_is_for_a_person(app: Flask, blog: Blog) -> None:
    answer = blog.check("a" * 70_000)
    assert answer.data == b"true"
    assert answer.headers["X-akismet-error"] == "too long"
    assert not recorded(app)


def test_a_request_that_is_too_large_is_held(blog: Blog) -> None:
    answer = blog.check(HAM, POST_comment="a" * (5 << 20))
    assert (answer.status_code, answer.data) == (200, b"true")
    assert answer.headers["X-akismet-error"] == "degraded"


# Feedback


def test_a_report_is_thanked_for_in_exactly_these_words(blog: Blog) -> None:
    for kind in ("spam", "ham"):
        answer = blog.report(kind, HAM)
        assert (answer.status_code, answer.text) == (200, THANKS)


@pytest.mark.parametrize(
    ("kind", "status", "label"), [("spam", "rejected", "spam"), ("ham", "published", "ok")]
)
def test_a_report_is_the_review_of_the_recorded_comment(
    app: Flask, blog: Blog, kind: str, status: str, label: str
) -> None:
    blog.check(ABUSE)
    blog.report(kind, ABUSE, user_ip="", comment_author_url="http://other.example")
    (stored,) = recorded(app)
    assert (stored.status, stored.label) == (status, label)
    (review,) = store_of(app).find("default", stored.id).reviews
    assert review.by == store_of(app).keys.list()[0].id
    assert review.note == "reported through akismet"


@pytest.mark.parametrize("field", ["guid", "akismet_guid", "comment_check_response"])
def test_a_report_with_our_guid_finds_the_comment_though_its_text_was_changed(
    app: Flask, blog: Blog, field: str
) -> None:
    guid = blog.check(HAM).headers["X-akismet-guid"]
    blog.report("spam", "cut by the blog", **{field: guid})
    (stored,) = recorded(app)
    assert (stored.comment.content, stored.label) == (HAM, "spam")


def test_wordpress_says_what_the_check_answered_in_the_field_of_a_guid(
    app: Flask, blog: Blog
) -> None:
    blog.check(HAM)
    blog.report("spam", HAM, comment_check_response="false")
    assert [stored.label for stored in recorded(app)] == ["spam"]


def test_a_guid_of_nothing_recorded_falls_back_on_the_text(app: Flask, blog: Blog) -> None:
    guid = blog.check(HAM, is_test="1").headers["X-akismet-guid"]
    blog.report("spam", HAM, guid=guid)
    assert [stored.label for stored in recorded(app)] == ["spam"]


def test_a_guid_of_another_site_finds_nothing(app: Flask, blog: Blog) -> None:
    guid = blog.check(HAM).headers["X-akismet-guid"]
    Blog(app, key_for(app, site="news")).report("spam", SPAM, guid=guid)
    assert [stored.label for stored in recorded(app)] == [None]
    assert [stored.comment.content for stored in recorded(app, "news")] == [SPAM]


def test_a_comment_that_was_never_seen_is_recorded_with_its_label(app: Flask, blog: Blog) -> None:
    blog.report("spam", "A new kind of advertisement")
    (row,) = store_of(app).labels("default")
    assert (row["text"], row["label"]) == ("A new kind of advertisement", "spam")


def test_reports_may_come_again_and_the_last_word_wins(app: Flask, blog: Blog) -> None:
    blog.check(HAM)
    for kind in ("spam", "spam", "ham", "ham", "ham", "spam"):
        assert blog.report(kind, HAM).text == THANKS
    (stored,) = recorded(app)
    assert (stored.status, stored.label) == ("rejected", "spam")
    reviews = store_of(app).find("default", stored.id).reviews
    assert [review.label for review in reviews] == ["spam", "ok", "spam"]


def test_a_report_on_a_comment_that_was_too_long_to_judge_is_not_lost(
    app: Flask, blog: Blog
) -> None:
    long = HAM * 2_000
    blog.check(long)
    assert blog.report("spam", long).text == THANKS
    (stored,) = recorded(app)
    assert (stored.label, len(stored.comment.content)) == ("spam", 65_536)


def test_corals_json_report_has_no_blog(app: Flask, blog: Blog) -> None:
    fields = {"user_ip": "", "comment_content": SPAM, "comment_author": "jane", "is_test": False}
    headers = {"Host": f"{blog.key}.rest.akismet.com"}
    answer = blog.client.post("/1.1/submit-spam", json=fields, headers=headers)
    assert answer.text == THANKS
    assert [stored.label for stored in recorded(app)] == ["spam"]


def test_a_report_reaches_the_training_export(app: Flask, blog: Blog) -> None:
    blog.check(HAM)
    blog.report("spam", HAM)
    moderator = {"Authorization": f"Bearer {key_for(app, 'moderate')}"}
    exported = blog.client.get("/v1/labels.csv", headers=moderator).text
    (row,) = csv.DictReader(io.StringIO(exported))
    assert (row["text"], row["label"]) == (HAM, "spam")


# When the service fails


class Failing(Heads):
    def assess(self, comments: Any) -> Any:
        raise RuntimeError(f"secret of {comments[0].content}")


def test_where_the_model_fails_a_person_decides_or_the_site_publishes(tmp_path: Path) -> None:
    for choice, word, error in (("hold", b"true", "degraded"), ("publish", b"false", None)):
        app = faces_app(tmp_path / choice, Failing(), on_error=choice)
        answer = Blog(app, key_for(app)).check(HAM)
        assert (answer.status_code, answer.data) == (200, word)
        assert answer.headers.get("X-akismet-error") == error
        assert answer.headers["X-akismet-guid"]


@pytest.mark.parametrize(("choice", "word"), [("hold", b"true"), ("publish", b"false")])
def test_where_the_database_is_away_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, word: bytes
) -> None:
    app = faces_app(tmp_path, on_error=choice)
    blog = Blog(app, key_for(app))

    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(store_of(app), "submit", away)
    monkeypatch.setattr(store_of(app), "find_text", away)
    answer = blog.check(HAM)
    assert (answer.status_code, answer.data) == (200, word)
    assert "disk full" in answer.headers["X-akismet-debug-help"]
    report = blog.report("spam", HAM)
    assert report.status_code == 503  # not thanked for what is lost
    assert report.headers["Retry-After"] == "1"


def test_an_error_that_nobody_foresaw_is_logged_without_the_comment(
    app: Flask, blog: Blog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(HAM)

    monkeypatch.setattr(store_of(app), "submit", broken)
    assert blog.check(HAM).headers["X-akismet-error"] == "degraded"
    assert "RuntimeError" in caplog.text
    assert HAM not in caplog.text


# The account


def test_there_is_no_usage_limit(blog: Blog) -> None:
    blog.check(HAM)
    blog.check(SPAM)
    for answer in (
        blog.client.get(f"/1.2/usage-limit?api_key={blog.key}"),
        blog.post("/1.2/usage-limit"),
    ):
        assert answer.json == {
            "limit": "none",
            "usage": 2,
            "percentage": "0.00",
            "throttled": False,
        }


def overruled(blog: Blog) -> None:
    """Five comments: two held, of which one wrongly; three published, of which one wrongly."""
    for content in (HAM, "Another kind word", "One more", SPAM, "Casino? I prefer to read."):
        blog.check(content)
    blog.check("pills are what the doctor gave me")
    blog.report("ham", "pills are what the doctor gave me")
    blog.report("spam", "One more")


def test_key_sites_has_the_figures_of_the_month_as_strings(blog: Blog) -> None:
    overruled(blog)
    said = blog.client.get(f"/1.2/key-sites?api_key={blog.key}").json
    ((month, rows),) = [(name, value) for name, value in said.items() if "-" in name]
    assert len(month) == 7
    assert (said["limit"], said["offset"], said["total"]) == (500, 0, 1)
    assert rows == [
        {
            "site": "default",
            "api_calls": "6",
            "spam": "2",
            "ham": "4",
            "missed_spam": "1",
            "false_positives": "1",
            "is_revoked": False,
        }
    ]


def test_key_sites_can_be_filtered_paged_and_asked_for_another_month(blog: Blog) -> None:
    blog.check(HAM)

    def rows(**query: str) -> tuple[str, list[Any]]:
        said = blog.post("/1.2/key-sites", **query).json
        return next((name, value) for name, value in said.items() if "-" in name)

    assert rows(filter="nothing-like-it")[1] == []
    assert rows(offset="1")[1] == []
    assert rows(limit="0")[1] == []
    month, past = rows(month="2022-09")
    assert (month, past[0]["api_calls"]) == ("2022-09", "0")
    assert rows(month="2022-13", limit="-1", offset="x")[1][0]["api_calls"] == "1"
    assert rows(month="9999-12")[1][0]["api_calls"] == "1"


def test_key_sites_can_be_a_table(blog: Blog) -> None:
    blog.check(SPAM)
    answer = blog.post("/1.2/key-sites", format="csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1:] == [
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked",
        "default,1,1,0,0,0,false",
    ]


@pytest.mark.parametrize("period", ["all", "6-months", "60-days", ""])
def test_wordpress_gets_its_statistics(blog: Blog, period: str) -> None:
    overruled(blog)
    said = blog.client.post("/1.1/get-stats", data={"key": blog.key, "from": period}).json
    assert (said["spam"], said["ham"]) == (2, 4)
    assert (said["missed_spam"], said["false_positives"]) == (1, 1)
    assert said["accuracy"] == "66.67"
    assert sum(month["spam"] for month in said["breakdown"].values()) == 2


def test_old_comments_count_in_all_but_not_in_the_last_months(app: Flask, blog: Blog) -> None:
    blog.check(SPAM)
    with store_of(app)._database.writing() as connection:
        connection.execute(sa.text("update comments set received = 1e9"))
    asked = {"key": blog.key, "from": "all"}
    assert blog.client.post("/1.1/get-stats", data=asked).json["spam"] == 1
    asked["from"] = "6-months"
    assert blog.client.post("/1.1/get-stats", data=asked).json["spam"] == 0


def test_wordpress_finds_an_active_subscription(blog: Blog) -> None:
    said = blog.client.post("/1.1/get-subscription", data={"key": blog.key}).json
    assert said["status"] == "active"
    assert said["limit_reached"] is False
    assert blog.client.post("/1.1/get-subscription", data={"key": WRONG}).data == b"invalid"


# As a proxy, on the wire


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Open, so that any key of twelve characters will do."""
    folder = tmp_path_factory.mktemp("served")
    write_model(folder / "models")
    with Served(folder) as running:
        yield running


def form(target: str, host: str, version: str = "1.1") -> bytes:
    body = b"blog=b&user_ip=&comment_content=Cheap+pills+and+casino"
    head = f"POST {target} HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_whole_address_as_target_is_taken_and_the_answer_has_a_length(
    served: Served, version: str
) -> None:
    host = "abcdefabcdef.rest.akismet.com"
    answer = served.raw(form(f"http://{host}{CHECK}", host, version))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"true"
    assert b"content-length: 4" in head.lower()
    assert b"transfer-encoding" not in head.lower()


def test_connect_is_refused_at_once(served: Served) -> None:
    target = "rest.akismet.com:443"
    answer = served.raw(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert answer.split()[1] in (b"404", b"405")


def test_a_foreign_host_gets_nothing(served: Served) -> None:
    host = "100.100.100.200"
    request = f"GET http://{host}/latest/meta-data HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert served.raw(request.encode()).split()[1] == b"404"


def test_nothing_is_forwarded(blog: Blog) -> None:
    for url in ("http://100.100.100.200/latest/meta-data/", "http://api.example/1.1/other"):
        assert blog.client.get(url).status_code == 404


def test_the_verdict_is_the_one_of_every_other_face(app: Flask, blog: Blog) -> None:
    admin = {"Authorization": f"Bearer {key_for(app, 'admin')}"}
    for content in (HAM, SPAM, ABUSE, "<b>bold</b> http://a.example", "Casino pills, you idiot"):
        body = {"content": content}
        native = blog.client.post("/v1/comments?record=false", json=body, headers=admin).json
        akismet = blog.check(content, is_test="1").data
        openai = blog.client.post("/v1/moderations", json={"input": content}, headers=admin).json
        coral = blog.client.post(
            f"/v1alpha1/comments:analyze?key={blog.key}",
            data=json.dumps(
                {
                    "comment": {"text": content},
                    "requestedAttributes": {"TOXICITY": {}, "SPAM": {}},
                    "doNotStore": True,
                }
            ),
        ).json["attributeScores"]
        held = native["decision"] == "hold"
        assert akismet == (b"true" if held else b"false")
        assert openai["results"][0]["flagged"] is held
        assert coral["TOXICITY"]["summaryScore"]["value"] == native["scores"]["abuse"]
        assert coral["SPAM"]["summaryScore"]["value"] == native["scores"]["spam"]


def test_wordpress_can_ask_whether_we_are_there_and_say_good_bye(blog: Blog) -> None:
    assert blog.client.get("/1.1/test").data == b"connected"
    assert blog.post("/1.1/deactivate", key=blog.key).data == b"deactivated"
    assert blog.check(HAM).data == b"false", "its key stays good"


def test_wordpress_gets_no_token_to_send_to_akismet(blog: Blog) -> None:
    assert blog.post("/1.1/token").data == b""


def test_wordpress_settings_page_leaves_a_key_of_a_blog_as_it_is(app: Flask) -> None:
    """It drops all but hexadecimal digits."""
    assert all(re.fullmatch(r"[0-9a-f]{12}", key_for(app)) for _ in range(20))
