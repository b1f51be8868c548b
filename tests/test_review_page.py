"""The queue page without a browser: what it shows, what its forms do, and what it never lets in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from moderation.review import words as review_words
from moderation.verdict import REASON_CODES, Finding, Span
from tests.protocols import store_of
from tests.serving import app_in, client_of

HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}</textarea><svg/onload=a>"
)


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path)


@pytest.fixture
def moderator(app: Flask) -> Any:
    return entered(app, "Ann")


def entered(app: Flask, name: str = "", site: str = "default") -> Any:
    client = client_of(app)
    key = store_of(app).keys.create(site, "moderate", name)
    client.post("/review/sign-in", data={"key": key})
    return client


def submit(app: Flask, content: str, site: str = "default", **given: Any) -> str:
    key = store_of(app).keys.create(site, "submit")
    headers = {"Authorization": f"Bearer {key}"}
    answer = client_of(app).post(
        "/v1/comments", json={"content": content, **given}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json["id"])


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and what stands between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def forms(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of each form and its hidden fields."""
    for found in re.finditer(r'<form method="post" action="([^"]*)".*?</form>', page, re.DOTALL):
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[0])
        yield html.unescape(found[1]), {name: html.unescape(value) for name, value in fields}


def form_of(client: Any, comment_id: str, suffix: str = "", at: str = "/review") -> dict[str, str]:
    return next(
        fields
        for action, fields in forms(client.get(at).text)
        if action == f"/review/comments/{comment_id}{suffix}"
    )


def act(client: Any, comment_id: str, what: str, at: str = "/review", **more: str) -> Any:
    fields = {"teach": "1", **form_of(client, comment_id, at=at), "act": what, **more}
    return client.post(f"/review/comments/{comment_id}", data=fields)


def state(app: Flask, comment_id: str, site: str = "default") -> tuple[str, str | None]:
    found = store_of(app).find(site, comment_id)
    return found.status, found.label


# ------------------------------------------------------------------ what it shows


def test_a_card_says_what_why_who_and_where(app: Flask, moderator: Any) -> None:
    article = {"url": "https://blog.example/bread", "title": "Our daily bread"}
    author = {"name": "Bo", "email": "bo@example.org", "url": "https://bo.example"}
    kept = submit(
        app, "Cheap <b>pills</b> here", article=article, author=author, parent="What do you take?"
    )
    page = moderator.get("/review").text
    text = Tags(page).text
    assert '<mark class="spam" title="spam">pills</mark>' in page
    assert "Reads like advertising" in text
    assert "Cheap &lt;b&gt;pills&lt;/b&gt; here" in page
    for said in ("Bo", "bo@example.org", "Our daily bread", "What do you take?", "spam > 99 %"):
        assert said in text, said
    assert f'id="c-{kept}"' in page


def test_the_authors_other_comments_are_counted_and_linked(app: Flask, moderator: Any) -> None:
    author = {"name": "Bo", "email": "bo@example.org"}
    first = submit(app, "A fine day for pills", author=author)
    submit(app, "A fine day for bread", author=author)
    submit(app, "A fine day for pills and cake, says somebody else")
    page = moderator.get("/review").text
    assert "Author: 1 published, 1 held" in Tags(page).text
    listed = moderator.get(f"/review?author={first}&status=all").text
    assert "bread" in listed
    assert "somebody else" not in listed


def test_the_page_of_another_site_shows_nothing(app: Flask) -> None:
    kept = submit(app, "Cheap pills", site="one")
    other = entered(app, site="other")
    assert "pills" not in other.get("/review?status=all").text
    assert other.get(f"/review/comments/{kept}").status_code == 404
    fields = {"csrf": csrf(other), "act": "publish", "seen": "0"}
    assert other.post(f"/review/comments/{kept}", data=fields).status_code == 404
    assert state(app, kept, "one") == ("held", None)


def add_site(app: Flask, client: Any, site: str, name: str) -> None:
    key = store_of(app).keys.create(site, "moderate", name)
    client.post("/review/sign-in", data={"key": key, "add": "1"})


def test_several_sites_are_one_list_and_each_act_is_by_the_key_of_its_site(app: Flask) -> None:
    mine, news, hidden = (submit(app, "cheap pills", site) for site in ("mine", "news", "other"))
    client = entered(app, "Ann of mine", site="mine")
    add_site(app, client, "news", "Ann of news")
    page = client.get("/review?order=oldest").text
    assert re.findall(r'<article class="card panel" id="c-(\w+)"', page) == [mine, news]
    assert re.findall(r'<b title="Site">(\w+)</b>', page) == ["mine", "news"]
    assert "near-copies" not in page  # of another site, they are no copies
    assert '<span class="count">2</span>' in page
    for site, own in (("mine", mine), ("news", news)):
        page = client.get(f"/review?site={site}").text
        assert re.findall(r'id="c-(\w+)"', page) == [own]
        done = act(client, own, "spam", at=f"/review?site={site}")
        assert parse_qs(urlsplit(done.location).query)["site"] == [site]
        after = client.get(done.location).text
        assert state(app, own, site) == ("rejected", "spam")
        history = Tags(client.get(f"/review/comments/{own}").text).text
        assert f"Rejected as spam by Ann of {site}" in history
        (undo,) = [found for found in forms(after) if found[0].startswith("/review/acts/")]
        client.post(undo[0], data=undo[1])
        assert state(app, own, site) == ("held", None)
        assert f"Taken back by Ann of {site}" in client.get(f"/review/comments/{own}").text
    fields = {"csrf": csrf(client), "act": "publish", "seen": "0"}
    assert client.post(f"/review/comments/{hidden}", data=fields).status_code == 404
    copies = {**fields, "status": "held", "newest": "f"}
    assert client.post(f"/review/comments/{hidden}/copies", data=copies).status_code == 404
    assert state(app, hidden, "other") == ("held", None)


def test_models_are_compared_on_each_sites_comments_under_its_own_rules(app: Flask) -> None:
    for site in ("calm", "mine"):
        submit(app, "bread and pills", site)
    submit(app, "cheap pills", "other")
    client = entered(app, site="mine")
    add_site(app, client, "calm", "")
    asked: list[tuple[str, int]] = []
    judge_with = app.extensions["moderation"].judge_with

    def noted(model: Any, site: str, comments: Any) -> Any:
        asked.append((site, len(comments)))
        return judge_with(model, site, comments)

    app.extensions["moderation"].judge_with = noted
    page = client.get("/review/models/words-2")
    assert "newest 2 comments recorded on calm, mine" in Tags(page.text).text
    assert asked == [("calm", 1), ("mine", 1)] * 2


@pytest.mark.parametrize("order", ["uncertain", "newest", "oldest"])
def test_pages_of_several_sites_follow_each_other_without_gap_or_repeat(
    app: Flask, order: str
) -> None:
    kept = {
        submit(
            app,
            f"{chr(97 + n) * 30} pills {chr(97 + n) * 40}",
            ("a", "b", "c")[n % 3 and 1 + n % 2],
        )
        for n in range(25)
    }
    client = entered(app, site="a")
    for site in ("b", "c"):
        add_site(app, client, site, "")
    first = client.get(f"/review?order={order}").text
    (onward,) = re.findall(r'href="([^"]+)" rel="next"', first)
    pages = [
        re.findall(r'id="c-(\w+)"', page)
        for page in (first, client.get(html.unescape(onward)).text)
    ]
    assert [len(page) for page in pages] == [20, 5]
    assert {*pages[0], *pages[1]} == kept
    in_time = [*pages[0], *pages[1]]
    assert in_time == sorted(in_time, reverse=order != "oldest")  # all are equally uncertain


def csrf(client: Any) -> str:
    return next(fields["csrf"] for _, fields in forms(client.get("/review").text))


def test_status_reason_language_order_and_search_choose_what_is_shown(
    app: Flask, moderator: Any
) -> None:
    pills, rude = submit(app, "buy pills today"), submit(app, "you absolute idiot")
    fine = submit(app, "what a lovely loaf")

    def shown(query: str) -> list[str]:
        page = moderator.get(f"/review?{query}")
        assert page.status_code == 200, page.text
        return re.findall(r'<article class="card panel" id="c-(\w+)"', page.text)

    assert shown("order=newest") == [rude, pills]
    assert shown("order=oldest") == [pills, rude]
    assert shown("status=published") == [fine]
    assert shown("status=all&order=oldest") == [pills, rude, fine]
    assert shown("reason=abuse") == [rude]
    assert shown("language=de") == []
    assert set(shown("language=en")) == {rude, pills}
    assert shown("q=PILLS") == [pills]
    assert shown("status=rejected") == []
    assert shown("q=all") == []
    assert shown("act=nothing&late=<b>") == shown("")
    assert "No comments like that" in moderator.get("/review?q=zzz").text
    assert all(f'value="{code}"' in moderator.get("/review").text for code in REASON_CODES)


@pytest.mark.parametrize(
    "query", ["status=nonsense", "order=x", "reason=x", "cursor=!", "q=%00", "language=longer-than"]
)
def test_what_cannot_be_asked_is_told_as_a_page(app: Flask, moderator: Any, query: str) -> None:
    answer = moderator.get(f"/review?{query}")
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"


def test_pages_follow_each_other_until_the_last(app: Flask, moderator: Any) -> None:
    texts = [f"{chr(97 + n) * 30} pills {chr(97 + n) * 40}" for n in range(25)]
    kept = {submit(app, text) for text in texts}
    first = moderator.get("/review?order=newest").text
    (onward,) = re.findall(r'href="([^"]+)" rel="next"', first)
    second = moderator.get(html.unescape(onward)).text
    pages = [re.findall(r'id="c-(\w+)"', page) for page in (first, second)]
    assert [len(page) for page in pages] == [20, 5]
    assert {*pages[0], *pages[1]} == kept
    assert 'rel="next"' not in second


# ------------------------------------------------------------------ what its forms do


@pytest.mark.parametrize(
    ("what", "taught", "then"),
    [
        ("publish", True, ("published", "ok")),
        ("spam", True, ("rejected", "spam")),
        ("abuse", True, ("rejected", "abuse")),
        ("publish", False, ("published", None)),
        ("spam", False, ("rejected", None)),
    ],
)
def test_one_button_decides_with_or_without_teaching(
    app: Flask, moderator: Any, what: str, taught: bool, then: tuple[str, str | None]
) -> None:
    kept = submit(app, "buy pills today")
    answer = act(moderator, kept, what, teach="1" if taught else "")
    assert answer.status_code == 303
    assert state(app, kept) == then
    said = Tags(moderator.get(answer.location).text).text
    assert "buy pills today" in said
    assert ("without teaching" in said) != taught


def test_an_act_leads_back_to_the_page_it_was_on(app: Flask, moderator: Any) -> None:
    kept = submit(app, "buy pills today")
    answer = act(moderator, kept, "spam", at="/review?q=pills&order=oldest&reason=spam")
    query = parse_qs(urlsplit(answer.location).query)
    act_id = query.pop("act")
    assert query == {"q": ["pills"], "order": ["oldest"], "reason": ["spam"], "status": ["held"]}
    assert len(act_id) == 1


def test_the_outcome_offers_to_undo_it(app: Flask, moderator: Any) -> None:
    kept = submit(app, "buy pills today")
    after = moderator.get(act(moderator, kept, "spam").location).text
    (undo,) = [found for found in forms(after) if found[0].startswith("/review/acts/")]
    undone = moderator.post(undo[0], data=undo[1])
    assert state(app, kept) == ("held", None)
    said = Tags(moderator.get(undone.location).text).text
    assert "Taken back" in said
    assert "held again" in said
    again = moderator.post(undo[0], data=undo[1])
    assert "Nothing was changed" in Tags(moderator.get(again.location).text).text


def test_any_act_can_be_undone_later_from_the_card(app: Flask, moderator: Any) -> None:
    kept = submit(app, "buy pills today")
    act(moderator, kept, "spam")
    page = f"/review/comments/{kept}"
    assert act(moderator, kept, "undo", at=page).status_code == 303
    assert state(app, kept) == ("held", None)
    history = Tags(moderator.get(page).text).text
    assert "Taken back by Ann" in history
    assert "Rejected as spam by Ann" in history
    assert "on the verdict of model words-1" in history


def test_the_second_of_two_moderators_is_told_who_did_what(app: Flask, moderator: Any) -> None:
    kept = submit(app, "buy pills today")
    other = entered(app, "Bo")
    stale = form_of(other, kept)
    act(moderator, kept, "publish")
    late = other.post(f"/review/comments/{kept}", data={**stale, "act": "spam", "teach": "1"})
    assert late.status_code == 409
    said = Tags(late.text).text
    assert "Nothing was changed" in said
    assert "Ann decided on this comment before: published" in said
    assert state(app, kept) == ("published", "ok")


def test_near_copies_are_cleared_in_one_click_and_undone_in_one(app: Flask, moderator: Any) -> None:
    text = "I lost all until {} sent me pills that work, so write to {} for pills as well today"
    kept = [submit(app, text.format(name, name)) for name in ("Ali", "Bob", "Cem")]
    page = moderator.get("/review").text
    assert len(re.findall(r"<article", page)) == 1
    assert "3 near-copies" in Tags(page).text
    fields = form_of(moderator, kept[-1], "/copies")
    done = moderator.post(
        f"/review/comments/{kept[-1]}/copies", data={**fields, "act": "spam", "teach": "1"}
    )
    assert [state(app, one) for one in kept] == [("rejected", "spam")] * 3
    after = moderator.get(done.location).text
    assert "3 comments" in Tags(after).text
    (undo,) = [found for found in forms(after) if found[0].startswith("/review/acts/")]
    moderator.post(undo[0], data=undo[1])
    assert [state(app, one) for one in kept] == [("held", None)] * 3


def test_a_note_is_kept_for_the_others(app: Flask, moderator: Any) -> None:
    kept = submit(app, "buy pills today")
    act(moderator, kept, "spam", note="the third today")
    assert "the third today" in moderator.get(f"/review/comments/{kept}").text


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "erase"},
        {"act": ""},
        {"act": "spam", "seen": "x"},
        {"act": "spam", "seen": "9" * 30},
    ],
)
def test_a_form_that_is_not_ours_is_refused(
    app: Flask, moderator: Any, fields: dict[str, str]
) -> None:
    kept = submit(app, "buy pills today")
    sent = {"csrf": csrf(moderator), "seen": "0", **fields}
    assert moderator.post(f"/review/comments/{kept}", data=sent).status_code == 422
    assert state(app, kept) == ("held", None)


# ------------------------------------------------------------------ what it never lets in


def test_no_field_brings_a_tag_or_a_script_into_the_page(app: Flask, moderator: Any) -> None:
    hostile: dict[str, Any] = {
        "content": f"pills idiot {HOSTILE}",
        "author": {
            "name": HOSTILE,
            "email": HOSTILE,
            "url": "javascript:alert(1)",
            "id": HOSTILE,
            "user_agent": HOSTILE,
        },
        "article": {
            "url": "javascript:alert(document.cookie)",
            "title": HOSTILE,
            "text": HOSTILE,
            "published_at": HOSTILE,
        },
        "parent": HOSTILE,
        "external_id": HOSTILE[:200],
    }
    first = submit(app, **hostile)
    hostile["content"] += " again, pills"
    submit(app, **hostile)
    act(moderator, first, "spam", note=HOSTILE, at="/review?status=all&like=" + first)
    queries = [
        "",
        "?status=all",
        f"?q={HOSTILE}",
        f"?author={HOSTILE}",
        f"?like={HOSTILE}",
        f"?act={HOSTILE}",
        f"?late={HOSTILE}",
        f"?next={HOSTILE}",
    ]
    pages = [moderator.get("/review" + query).text for query in queries]
    pages.append(moderator.get(f"/review/comments/{first}").text)
    pages.append(moderator.get(f"/review/sign-in?next={HOSTILE}").text)
    pages.append(moderator.get("/review/comments/" + HOSTILE.replace("/", "")).text)
    assert HOSTILE in Tags(pages[1]).text
    for page in pages:
        tags = Tags(page)
        for tag, attributes in tags.tags:
            assert tag not in ("img", "iframe", "object", "style"), page
            assert tag != "script" or attributes == {"src": "/static/review.js", "defer": None}
            assert not any(name.startswith("on") or name == "style" for name in attributes), tag
            for name in ("href", "src", "action"):
                target = attributes.get(name) or ""
                assert target.startswith(("/", "#", "data:,")) or not target, target


def test_what_readers_would_see_is_what_the_policy_made(app: Flask, moderator: Any) -> None:
    submit(app, 'pills <b>bold</b> <a href="javascript:alert(1)">x</a><script>alert(1)</script>')
    page = moderator.get("/review").text
    rendered = re.search(r'<div class="rendered" dir="auto">(.*?)</div>', page, re.DOTALL)
    assert rendered
    assert "<b>bold</b>" in rendered[1]
    assert "javascript:" not in re.sub(r"&lt;.*?&gt;", "", rendered[1])
    assert "<script" not in rendered[1]


def test_invisible_characters_are_named_in_what_was_typed(app: Flask, moderator: Any) -> None:
    submit(app, "pil\u200bls pills \u202egnp.exe")
    page = moderator.get("/review").text
    assert '<span class="hidden-letter">U+200B</span>' in page
    assert '<span class="hidden-letter">U+202E</span>' in page


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example", True),
        ("HTTP://a.example", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//a.example", False),
        ("a.example", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, safe: bool) -> None:
    assert bool(review_words.web_address(url)) is safe


# ------------------------------------------------------------------ pieces


def span(start: int, end: int) -> Span:
    return Span(start, end, "", 1.0)


def test_segments_cover_the_text_once_and_name_every_reason() -> None:
    reasons = [
        Finding("spam", spans=(span(0, 4), span(2, 6))),
        Finding("abuse", spans=(span(4, 8), span(9, 99), span(50, 60), span(3, 3))),
    ]
    assert review_words.segments("0123456789", reasons) == [
        ("01", "spam"),
        ("23", "spam"),
        ("45", "abuse spam"),
        ("67", "abuse"),
        ("8", ""),
        ("9", "abuse"),
    ]
    assert review_words.segments("none", []) == [("none", "")]


def test_a_text_marked_all_over_takes_no_time_to_speak_of() -> None:
    content = "ab " * 20_000
    reasons = [Finding("blocklist", spans=tuple(span(n, n + 2) for n in range(0, 60_000, 3)))]
    assert "".join(piece for piece, _ in review_words.segments(content, reasons)) == content
