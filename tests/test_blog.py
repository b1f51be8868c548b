"""The commenter's whole way, in a browser: write, preview, send, and see what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation.demo.comments import Comments
from tests.blogs import blog
from tests.browser import PHONE, browsing, fits_its_window
from tests.serving import Served, free_port, write_model

FINE = "A fine <b>day</b> at the library, thank you."
SPAM = "Cheap pills here"
ABUSE = "What an idiot & worse"
PATIENT = {"min_seconds": 0, "flood_window": 0, "duplicate_window": 0}


@dataclass(frozen=True)
class Site:
    """A blog and its service."""

    url: str
    service: Served

    def recorded(self) -> list[dict[str, Any]]:
        """What the service keeps of this blog, oldest first."""
        found = self.service.call("GET", "/v1/comments?order=oldest&limit=200").json["comments"]
        return [one for one in found if one["article"]["url"] == self.url]

    def review(self, decision: str, label: str | None = None) -> None:
        """A moderator's word on the newest comment."""
        path = f"/v1/comments/{self.recorded()[-1]['id']}/review"
        answer = self.service.call("POST", path, {"decision": decision, "label": label})
        assert answer.status == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for the tests that leave it running."""
    folder = tmp_path_factory.mktemp("service")
    write_model(folder / "models")
    with Served(folder, **PATIENT) as service:
        yield service


@pytest.fixture
def site(served: Served, tmp_path: Path) -> Iterator[Site]:
    with blog(tmp_path, f"http://127.0.0.1:{served.port}") as url:
        yield Site(url, served)


def send(page: Page, content: str, name: str = "Ann", **more: str) -> None:
    page.get_by_label("Comment", exact=True).fill(content)
    page.get_by_label("Name").fill(name)
    for label, value in more.items():
        page.get_by_label(label.replace("_", "-")).fill(value)
    page.get_by_role("button", name="Publish").click()


def read(url: str, /, **form: str) -> str:
    """The page, or what comes of sending a form, without a browser."""
    with urlopen(url, urlencode(form).encode() if form else None, timeout=20) as response:
        return str(response.read().decode())


def count_is(page: Page, said: str) -> None:
    expect(page.locator("#count")).to_have_text(f"{said} Leave a comment below.")


def test_the_page_ends_as_readers_know_it(browser: Browser, site: Site) -> None:
    with browsing(browser) as page:
        page.goto(site.url)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hexley library reopens")
        count_is(page, "0 comments.")
        text = page.locator("main").inner_text()
        parts = (
            "Leave a comment below.",
            "Post a Comment",
            "Spam and abuse will not be published. You can use some HTML tags in your comments.",
            "<b> <strong> <i> <em> <a href>",
            "Thank you for reading and commenting.",
        )
        places = [text.index(part) for part in parts]
        assert places == sorted(places)


def test_the_tags_are_those_of_the_policy(browser: Browser, tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    with (
        Served(tmp_path, html_preset="text") as served,
        blog(tmp_path, f"http://127.0.0.1:{served.port}") as url,
        browsing(browser) as page,
    ):
        page.goto(url)
        expect(page.locator("#rules")).to_have_text(
            "Spam and abuse will not be published. HTML tags are shown as text."
        )


def test_the_whole_way_from_writing_to_a_moderators_word(
    browser: Browser, tmp_path: Path, database_url: str
) -> None:
    write_model(tmp_path / "models")
    with (
        Served(tmp_path, database=database_url, **PATIENT) as served,
        blog(tmp_path, f"http://127.0.0.1:{served.port}") as url,
        browsing(browser) as author,
        browsing(browser) as reader,
    ):
        site = Site(url, served)
        author.goto(url)
        send(author, FINE, Website="ann.example")
        count_is(author, "1 comment.")
        expect(author.locator(".comments .body b")).to_have_text("day")
        expect(author.get_by_role("link", name="Ann")).to_have_attribute(
            "href", "https://ann.example"
        )
        expect(author.locator("#yours")).to_contain_text("Your comment is published.")

        send(author, ABUSE)
        expect(author.locator("#yours")).to_contain_text("A moderator will look at your comment")
        expect(author.locator("#yours")).to_contain_text("reads like an attack on a person")
        expect(author.locator("#yours blockquote")).to_have_text(ABUSE)
        author.get_by_text("What was decided, why, and how to object").click()
        expect(author.locator("#yours")).to_contain_text("held by automated means")
        count_is(author, "1 comment.")
        reader.goto(url)
        count_is(reader, "1 comment.")
        expect(reader.locator("body")).not_to_contain_text(ABUSE)

        site.review("publish", "ok")
        reader.reload()
        count_is(reader, "2 comments.")
        expect(reader.locator(".comments li").last.locator(".body")).to_have_text(ABUSE)
        author.reload()
        expect(author.locator("#yours")).to_contain_text("Your comment is published.")

        site.review("reject", "abuse")
        author.reload()
        expect(author.locator("#yours h2")).to_have_text("Your comment is not published")
        expect(author.locator("#yours")).to_contain_text("A moderator read it")
        count_is(author, "1 comment.")


def test_the_writer_sees_before_sending_what_the_html_policy_will_do(
    browser: Browser, site: Site
) -> None:
    with browsing(browser) as page:
        page.goto(site.url)
        preview = page.get_by_role("region", name="Preview")
        expect(preview).to_be_hidden()
        comment = page.get_by_label("Comment", exact=True)
        comment.fill("A <b>bold</b> <script>alert(1)</script> <a href='javascript:x'>pills")
        expect(preview.locator(".body b")).to_have_text("bold")
        expect(preview.locator(".body")).to_contain_text("<script>alert(1)</script>")
        expect(preview.locator("li")).to_have_text(
            ["<script> is shown as you typed it", "a link to “javascript:” is left out"]
        )
        # What would become of it is not said: that would be a test bench for spammers.
        expect(preview).not_to_contain_text(re.compile("moderator|advertising|held", re.I))
        comment.fill("Now <i>other</i> text")
        expect(preview.locator(".body i")).to_have_text("other")
        page.get_by_role("button", name="Preview").click()
        expect(preview).to_be_focused()
        comment.fill("")
        expect(preview).to_be_hidden()
        assert site.recorded() == []
        assert not re.search(r"[?#]", page.url)


def test_everything_works_without_javascript(browser: Browser, site: Site) -> None:
    with browsing(browser, javascript=False) as page:
        page.goto(site.url)
        page.get_by_label("Comment", exact=True).fill("Some <u>HTML</u> & <b>more")
        page.get_by_label("Name").fill("Ann & Bob")
        page.get_by_role("button", name="Preview").click()
        preview = page.get_by_role("region", name="Preview")
        expect(preview.locator(".body")).to_have_text("Some <u>HTML</u> & more")
        expect(preview.locator("li").last).to_have_text("<b> is closed for you")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("Some <u>HTML</u> & <b>more")
        expect(page.get_by_label("Name")).to_have_value("Ann & Bob")
        assert site.recorded() == []
        page.get_by_role("button", name="Publish").click()
        count_is(page, "1 comment.")
        expect(page.locator(".comments .body b")).to_have_text("more")
        send(page, SPAM)
        expect(page.locator("#yours")).to_contain_text("reads like advertising")


def test_sending_twice_makes_one_comment(browser: Browser, site: Site) -> None:
    with browsing(browser) as page:
        page.goto(site.url)
        page.get_by_label("Comment", exact=True).fill(FINE)
        page.get_by_role("button", name="Publish").dblclick()
        count_is(page, "1 comment.")
        page.reload()
        count_is(page, "1 comment.")
    assert len(site.recorded()) == 1


def test_one_form_makes_one_comment_of_each_text_however_often_it_comes(site: Site) -> None:
    def post(content: str) -> str:
        return read(site.url, content=content, token="as it was shown")

    with ThreadPoolExecutor(4) as pool:
        assert all("1 comment." in page for page in pool.map(post, [FINE] * 4))
    assert len(site.recorded()) == 1
    assert "2 comments." in post("Another thought, written after going back to the form")


def test_the_form_tells_a_program_from_a_person(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    with (
        Served(tmp_path, flood_window=0, min_seconds=3600) as served,
        blog(tmp_path, f"http://127.0.0.1:{served.port}") as url,
    ):
        shown = re.search(r'name="token" value="([^"]+)"', read(url))
        assert shown
        read(url, content="Sent within the hour", token=shown[1])
        read(url, content="Sent from nobody knows when", token="of another day")
        read(url, content="Sent with all fields filled in", subject="Hello")
        codes = [
            [reason["code"] for reason in one["verdict"]["reasons"]]
            for one in Site(url, served).recorded()
        ]
        assert codes == [["too_fast"], [], ["honeypot"]]


def test_the_service_is_told_who_wrote_and_the_blog_forgets_it(site: Site, tmp_path: Path) -> None:
    read(site.url, content=FINE, name="Ann", email="ann@a.example", url="http://a.example")
    (one,) = site.recorded()
    assert one["author"]["name"] == "Ann"
    assert one["author"]["email"] == "ann@a.example"
    assert one["author"]["user_agent"].startswith("Python")
    assert one["article"]["title"].startswith("Hexley library reopens")
    assert one["article"]["text"].startswith("Hexley library reopens")
    assert [kept.facts for kept in Comments(tmp_path / "blog.db").published()] == [None]
    assert b"ann@a.example" not in (tmp_path / "blog.db").read_bytes()


def test_what_is_erased_at_the_service_stays_as_it_was(site: Site) -> None:
    read(site.url, content=FINE)
    path = f"/v1/comments/{site.recorded()[0]['id']}"
    assert site.service.call("DELETE", path).status == 204
    assert "1 comment." in read(site.url)


def test_every_answer_forbids_what_the_page_does_not_need(site: Site) -> None:
    for path in ("", "static/preview.js", "nowhere"):
        try:
            with urlopen(site.url + path, timeout=20) as response:
                headers = response.headers
        except HTTPError as error:
            headers = error.headers
            error.close()
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_the_service_is_down_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    port = free_port()
    with blog(tmp_path, f"http://127.0.0.1:{port}") as url, browsing(browser) as page:
        page.goto(url)
        count_is(page, "0 comments.")
        page.get_by_label("Comment", exact=True).fill(FINE)
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview")).to_contain_text("The preview does not work just now")
        page.get_by_role("button", name="Publish").click()
        expect(page.locator("#yours")).to_contain_text("It is held here and sent to moderation")
        expect(page.locator("#yours blockquote")).to_have_text(FINE)
        send(page, SPAM)
        expect(page.locator("#yours")).to_contain_text("It is held here and sent to moderation")
        count_is(page, "0 comments.")
        with Served(tmp_path, "--port", str(port), **PATIENT) as service:
            service.port = port
            for _ in range(40):  # a service that did not answer is left alone for two seconds
                page.reload()
                if "advertising" in page.locator("#yours").inner_text():
                    break
                page.wait_for_timeout(100)
            expect(page.locator("#yours")).to_contain_text("reads like advertising")
            count_is(page, "1 comment.")
            expect(page.locator(".comments .body b")).to_have_text("day")
            recorded = Site(url, service).recorded()
        assert [one["status"] for one in recorded] == ["published", "held"]
        page.reload()  # and what was published stays so while the service is away again
        count_is(page, "1 comment.")


INJECTIONS = (
    "<script>window.taken = 1</script>",
    '"><img src=x onerror="window.taken = 1">',
    "' onmouseover='window.taken=1' autofocus onfocus='window.taken=1'",
    "javascript:window.taken=1",
    "</textarea></title><svg onload=window.taken=1>",
    "{{ 7 * 191 }}",
)


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.parametrize("fate", ["published", "held"])
def test_nothing_that_is_sent_runs_in_the_page(
    browser: Browser, site: Site, injection: str, fate: str
) -> None:
    text = f"{injection} {'fine' if fate == 'published' else 'pills'}"
    with browsing(browser) as page:
        page.goto(site.url)
        page.get_by_label("Comment", exact=True).fill(text)
        page.get_by_label("Name").fill(injection)
        expect(page.locator("#previewed .body")).to_be_visible()
        page.get_by_label("E-mail").fill(f"{injection}@a.example")
        page.get_by_label("Website").fill(injection)
        page.get_by_role("button", name="Publish").click()
        expect(page.locator("#yours")).to_be_visible()
        count_is(page, "1 comment." if fate == "published" else "0 comments.")
        shown = page.locator(".comments li" if fate == "published" else "#yours")
        expect(shown).to_contain_text(injection)
        page.goto(f"{site.url}?comment={injection}")
        page.mouse.move(100, 100)
        assert page.evaluate("window.taken") is None
        assert page.locator("a[href^=javascript], img, svg, [onmouseover]").count() == 0
        assert "1337" not in page.content()


def test_what_cannot_be_sent_is_said_beside_the_field(browser: Browser, site: Site) -> None:
    with browsing(browser) as page:
        page.goto(site.url)
        send(page, "  ", name="n" * 101)
        expect(page.get_by_role("alert")).to_contain_text("not sent yet")
        comment = page.get_by_label("Comment", exact=True)
        expect(comment).to_have_attribute("aria-invalid", "true")
        expect(comment).to_have_accessible_description(re.compile("Write your comment first"))
        expect(page.get_by_label("Name")).to_have_accessible_description(re.compile("At most 100"))
        send(page, FINE)
        count_is(page, "1 comment.")
    assert len(site.recorded()) == 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone_and_reads_well_in_light_and_dark(
    browser: Browser, site: Site, dark: bool
) -> None:
    with browsing(browser, size=PHONE, dark=dark) as page:
        page.goto(site.url)
        send(page, f"{'long' * 60} <b>{'word' * 90}</b>", name="N" * 90)
        count_is(page, "1 comment.")
        send(page, f"{SPAM * 20} {'long' * 60}")
        expect(page.locator("#yours")).to_contain_text("advertising")
        assert fits_its_window(page)
        for part in ("body", ".note", "#count a", "button", ".by time"):
            assert contrast(page, part) >= 4.5, part


def contrast(page: Page, selector: str) -> float:
    """WCAG's contrast of an element's text to what is behind it."""
    ratio: float = page.locator(selector).first.evaluate(
        """element => {
          const light = colour => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(n => n / 255)
              .map(n => n <= .03928 ? n / 12.92 : ((n + .055) / 1.055) ** 2.4);
            return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
          };
          let behind = element;
          const ground = () => getComputedStyle(behind).backgroundColor;
          while (ground() === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
          const pair = [light(getComputedStyle(element).color), light(ground())].sort();
          return (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
        }"""
    )
    return ratio


def test_the_keyboard_reaches_everything_but_the_hidden_field(browser: Browser, site: Site) -> None:
    with browsing(browser) as page:
        page.goto(site.url)
        page.get_by_label("Comment", exact=True).focus()
        reached = []
        for _ in range(5):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.name || document.activeElement.id")
            )
        assert reached == ["name", "email", "url", "action", "action"]
