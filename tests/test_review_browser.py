"""The moderator's whole way in a real browser, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation.store import Store
from tests.browser import DESK, PHONE, browsing, fits_its_window
from tests.serving import Served, write_model

SCAM = "I lost all my savings until {} on Telegram sent me these pills and got it all back"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg onload=alert(3)>"


class Desk:
    """A started service with keys, and what the tests do around the browser."""

    def __init__(self, served: Served, store: Store) -> None:
        self.served, self.store = served, store
        self.address = f"http://127.0.0.1:{served.port}"
        self.submitter = store.keys.create("default", "submit")
        self.key = store.keys.create("default", "moderate", "Ann")

    def submit(self, content: str, key: str = "", **given: Any) -> str:
        headers = {"Authorization": f"Bearer {key or self.submitter}"}
        answer = self.served.call("POST", "/v1/comments", {"content": content, **given}, headers)
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    def status(self, comment_id: str, site: str = "default") -> tuple[str, str | None]:
        found = self.store.find(site, comment_id)
        return found.status, found.label

    def enter(self, page: Page, key: str = "") -> None:
        page.goto(f"{self.address}/review")
        page.get_by_label("Key of a moderator or admin").fill(key or self.key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Queue")


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    write_model(tmp_path / "models")
    store = Store.open(database_url)
    store.keys.create("default", "admin")
    with Served(tmp_path, database=database_url) as served:
        yield Desk(served, store)
    store.close()


@pytest.fixture
def one_desk(tmp_path: Path) -> Iterator[Desk]:
    """On SQLite alone, for what does not depend on the database."""
    write_model(tmp_path / "models")
    store = Store.open(f"sqlite:///{tmp_path}/comments.db")
    store.keys.create("default", "admin")
    with Served(tmp_path) as served:
        yield Desk(served, store)
    store.close()


def cards(page: Page) -> Any:
    return page.locator("#cards > article")


def outcome(page: Page) -> Any:
    return page.get_by_role("status")


# ------------------------------------------------------------------ the whole way


def test_a_moderators_day(browser: Browser, desk: Desk) -> None:
    copies = [desk.submit(SCAM.format(name)) for name in ("Ali", "Bo", "Cy")]
    rude = desk.submit("What an idiot wrote this", author={"name": "Troll", "email": "t@t.example"})
    wrong = desk.submit("The pills my doctor gave me helped", author={"name": "Eve"})
    with browsing(browser) as page:
        desk.enter(page)
        expect(cards(page)).to_have_count(3)

        scam = cards(page).filter(has_text="3 near-copies")
        expect(scam.locator("mark.spam").first).to_have_text("pills")
        scam.get_by_role("button", name="Reject all 3 as spam").click()
        expect(outcome(page)).to_contain_text("Rejected as spam: 3 comments")
        expect(cards(page)).to_have_count(2)
        assert [desk.status(one) for one in copies] == [("rejected", "spam")] * 3

        card = cards(page).filter(has_text="Troll")
        card.get_by_role("button", name="Reject as abuse").click()
        expect(outcome(page)).to_contain_text("Rejected as abuse: “What an idiot wrote this”")
        assert desk.status(rude) == ("rejected", "abuse")

        cards(page).get_by_label("Teach the next model").uncheck()
        cards(page).get_by_role("button", name="Publish").click()
        expect(outcome(page)).to_contain_text("Published without teaching")
        assert desk.status(wrong) == ("published", None)
        expect(page.get_by_text("Nothing waits for a moderator.")).to_be_visible()

        outcome(page).get_by_role("button", name="Undo").click()
        expect(outcome(page)).to_contain_text("held again")
        assert desk.status(wrong) == ("held", None)

        page.get_by_role("navigation", name="Status").get_by_role("link", name="Rejected").click()
        expect(cards(page)).to_have_count(2)
        cards(page).filter(has_text="3 near-copies").get_by_role("link", name="Show all").click()
        expect(cards(page)).to_have_count(3)
        page.get_by_role("link", name="Show others too").click()
        cards(page).filter(has_text="Troll").get_by_role("link", name="Permalink").click()
        expect(page.locator(".history")).to_contain_text("Rejected as abuse by Ann")

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto(f"{desk.address}/review")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_of_two_moderators_the_second_is_told(browser: Browser, desk: Desk) -> None:
    kept = desk.submit("Cheap pills for all")
    second_key = desk.store.keys.create("default", "moderate", "Bo")
    with browsing(browser) as ann, browsing(browser) as bo:
        desk.enter(ann)
        desk.enter(bo, second_key)
        ann.get_by_role("button", name="Publish").click()
        expect(outcome(ann)).to_contain_text("Published")
        bo.get_by_role("button", name="Reject as spam").click()
        expect(outcome(bo)).to_contain_text("Ann decided on this comment before: published")
        assert desk.status(kept) == ("published", "ok")
        bo.get_by_role("link", name="Look at it").click()
        bo.get_by_role("button", name="Reject as spam").click()
        expect(outcome(bo)).to_contain_text("Rejected as spam")
        assert desk.status(kept) == ("rejected", "spam")


def test_the_basics_work_without_javascript(browser: Browser, desk: Desk) -> None:
    kept = desk.submit("Cheap pills for all")
    other = desk.submit("You are an idiot, honestly")
    with browsing(browser, javascript=False) as page:
        desk.enter(page)
        page.get_by_label("Search").fill("honestly")
        page.get_by_role("button", name="Show").click()
        expect(cards(page)).to_have_count(1)
        page.get_by_role("button", name="Reject as abuse").click()
        expect(outcome(page)).to_contain_text("Rejected as abuse")
        assert desk.status(other) == ("rejected", "abuse")
        page.get_by_role("navigation", name="Status").get_by_role("link", name="Held").click()
        page.get_by_role("button", name="Reject as spam").click()
        assert desk.status(kept) == ("rejected", "spam")
        outcome(page).get_by_role("button", name="Undo").click()
        assert desk.status(kept) == ("held", None)


def test_a_moderator_of_several_sites_has_one_list_and_may_look_at_one(
    browser: Browser, desk: Desk
) -> None:
    sites = ("news", "shop")
    kept = {"default": desk.submit("Cheap pills for all of you")}
    for site in sites:
        own = desk.submit(f"Casino {site}, you idiot", desk.store.keys.create(site, "submit"))
        kept[site] = own
    hidden = desk.store.keys.create("hidden", "submit")
    desk.submit("Cheap pills at a site of others", hidden)
    with browsing(browser) as page:
        desk.enter(page)
        expect(cards(page)).to_have_count(1)
        expect(page.get_by_label("Site")).to_have_count(0)
        for site in sites:
            page.get_by_role("link", name="Add a site").click()
            key = desk.store.keys.create(site, "moderate", f"Ann at {site}")
            page.get_by_label("Key of a moderator or admin").fill(key)
            page.get_by_role("button", name="Sign in").click()
        expect(cards(page)).to_have_count(3)
        expect(page.get_by_text("of others")).to_have_count(0)
        expect(page.get_by_role("banner")).to_contain_text("3 sites")

        page.get_by_label("Site").select_option("news")
        page.get_by_role("button", name="Show").click()
        expect(cards(page)).to_have_count(1)
        expect(cards(page)).to_contain_text("Casino news")
        cards(page).get_by_role("button", name="Reject as abuse").click()
        expect(outcome(page)).to_contain_text("Rejected as abuse")
        expect(page.get_by_text("Nothing waits for a moderator.")).to_be_visible()
        assert desk.status(kept["news"], "news") == ("rejected", "abuse")
        (review,) = desk.store.find("news", kept["news"]).reviews
        assert desk.store.keys.names()[review.by] == "Ann at news"
        outcome(page).get_by_role("button", name="Undo").click()
        expect(outcome(page)).to_contain_text("held again")
        assert desk.status(kept["news"], "news") == ("held", None)

        page.get_by_role("link", name="Figures").click()
        expect(page.get_by_role("link", name="news")).to_have_attribute("aria-current", "page")
        expect(page.get_by_text("0 of 0 honest comments")).to_have_count(0)
        page.get_by_role("link", name="All your sites").click()
        for site in kept:
            expect(page.get_by_role("row", name=site)).to_be_visible()
        page.get_by_text("Table", exact=True).first.click()
        expect(page.get_by_role("row", name=re.compile("^all 3 3"))).to_be_visible()

        page.get_by_role("link", name="Queue").click()
        expect(cards(page)).to_have_count(3)
        for left in (2, 1, 0):
            page.keyboard.press("p")
            expect(cards(page)).to_have_count(left)
        assert all(desk.status(own, site) == ("published", "ok") for site, own in kept.items())


# ------------------------------------------------------------------ keys


def test_all_is_done_with_the_keyboard(browser: Browser, one_desk: Desk) -> None:
    first, second, third = (
        one_desk.submit(f"pills {word}") for word in ("alpha" * 9, "bravo" * 9, "charlie" * 9)
    )
    with browsing(browser) as page:
        one_desk.enter(page)
        page.goto(f"{one_desk.address}/review?order=oldest")
        page.keyboard.press("j")
        expect(cards(page).nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(cards(page).nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(cards(page).nth(0)).to_be_focused()
        page.keyboard.press("s")
        expect(outcome(page)).to_contain_text("Rejected as spam")
        assert one_desk.status(first) == ("rejected", "spam")
        # the next comment has moved up, and has the focus
        expect(cards(page).nth(0)).to_be_focused()
        page.keyboard.press("t")
        page.keyboard.press("p")
        expect(outcome(page)).to_contain_text("Published without teaching")
        assert one_desk.status(second) == ("published", None)
        page.keyboard.press("a")
        expect(outcome(page)).to_contain_text("Rejected as abuse")
        assert one_desk.status(third) == ("rejected", "abuse")
        page.keyboard.press("u")
        expect(outcome(page)).to_contain_text("held again")
        assert one_desk.status(third) == ("held", None)


def test_keys_do_nothing_while_somebody_types_or_has_turned_them_off(
    browser: Browser, one_desk: Desk
) -> None:
    kept = one_desk.submit("Cheap pills for all")
    with browsing(browser) as page:
        one_desk.enter(page)
        page.keyboard.press("/")
        expect(page.get_by_label("Search")).to_be_focused()
        page.keyboard.type("spa")
        expect(page.get_by_label("Search")).to_have_value("spa")
        page.get_by_text("Keys:").click()
        page.get_by_label("Use these keys").uncheck()
        page.reload()
        page.locator("body").press("s")
        page.get_by_role("link", name="Permalink").press("s")
        expect(cards(page)).to_have_count(1)
        assert one_desk.status(kept) == ("held", None)


def test_the_focus_goes_through_the_page_in_its_order(browser: Browser, one_desk: Desk) -> None:
    one_desk.submit("Cheap pills for all")
    with browsing(browser) as page:
        one_desk.enter(page)
        names = []
        for _ in range(30):
            page.keyboard.press("Tab")
            names.append(
                page.evaluate("(document.activeElement.innerText || document.activeElement.name)")
            )
        places = [
            next(place for place, name in enumerate(names) if name.startswith(wanted))
            for wanted in ("Skip to", "Queue", "Sign out", "Held", "q", "Show", "Publish ", "As ")
        ]
        assert places == sorted(places)


# ------------------------------------------------------------------ looks, and attacks


def test_what_cannot_be_done_is_said_where_the_moderator_is(
    browser: Browser, one_desk: Desk
) -> None:
    kept = one_desk.submit("Cheap pills for all")
    one_desk.submit("You are an idiot, honestly")
    with browsing(browser) as page:
        one_desk.enter(page)
        one_desk.store.erase("default", kept)
        cards(page).filter(has_text="pills").get_by_role("button", name="Publish").click()
        expect(outcome(page)).to_contain_text("it may be erased")
        one_desk.store.keys.revoke(one_desk.key)
        cards(page).filter(has_text="idiot").get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, (DESK[0] // 2, DESK[1] // 2)], ids=["phone", "zoomed"])
def test_nothing_is_wider_than_the_window(
    browser: Browser, one_desk: Desk, size: tuple[int, int], dark: bool
) -> None:
    long = "pills" + "x" * 500
    given = {"author": {"name": long, "url": f"https://{long[:60]}.example/{long}"}}
    one_desk.submit(f"{long} https://a.example/{long}", article={"title": long}, **given)
    with browsing(browser, size=size, dark=dark) as page:
        one_desk.enter(page)
        for summary in page.locator("#cards summary").all():
            if summary.locator("xpath=..").get_attribute("open") is None:
                summary.click()
        assert fits_its_window(page)


# Ratio of contrast as WCAG 2 defines it, of every text against what is behind it.
_CONTRAST = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(
    browser: Browser, one_desk: Desk, dark: bool
) -> None:
    one_desk.submit(SCAM.format("Ali"), article={"title": "On bread", "url": "https://a.example"})
    one_desk.submit(SCAM.format("Bo"), author={"name": "Bo", "email": "b@b.example"})
    one_desk.submit("pills, you idiot <script>x</script>")
    with browsing(browser, dark=dark) as page:
        page.goto(f"{one_desk.address}/review/sign-in")
        assert page.evaluate(_CONTRAST) == []
        one_desk.enter(page)
        cards(page).first.get_by_role("button", name="Reject as spam", exact=False).first.click()
        expect(outcome(page)).to_contain_text("Rejected")
        assert page.evaluate(_CONTRAST) == []


def test_every_field_and_button_has_a_name(browser: Browser, one_desk: Desk) -> None:
    one_desk.submit(SCAM.format("Ali"))
    one_desk.submit(SCAM.format("Bo"))
    with browsing(browser) as page:
        one_desk.enter(page)
        for control in page.locator("button, input:not([type=hidden]), select, summary, a").all():
            snapshot = control.aria_snapshot() if control.is_visible() else 'x "hidden"'
            assert re.search(r'"[^"]+"|: \S', snapshot), snapshot
        levels = page.locator("h1, h2, h3").evaluate_all("all => all.map((h) => +h.tagName[1])")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_of_one_comment_leads_to_the_queue(browser: Browser, one_desk: Desk) -> None:
    kept = one_desk.submit("Cheap pills")
    with browsing(browser) as page, browsing(browser) as other:
        for moderator in (page, other):
            one_desk.enter(moderator)
            moderator.goto(f"{one_desk.address}/review/comments/{kept}")
        page.get_by_role("button", name="Reject as spam").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
        expect(outcome(page)).to_contain_text("Rejected as spam")
        expect(page.get_by_role("button", name="Show")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Queue")

        other.get_by_role("button", name="Publish").click()
        expect(outcome(other)).to_contain_text("Nothing was changed")
        expect(other.get_by_role("heading", level=1)).to_have_text("Comment")
    assert one_desk.status(kept) == ("rejected", "spam")


def test_no_field_runs_a_script_in_the_browser(browser: Browser, one_desk: Desk) -> None:
    author = dict.fromkeys(("name", "email", "id", "user_agent"), HOSTILE)
    article = dict.fromkeys(("title", "text", "published_at"), HOSTILE)
    evil = "javascript:alert(4)"
    kept = one_desk.submit(
        f"pills idiot {HOSTILE} <a href='{evil}'>x</a>",
        author={**author, "url": evil},
        article={**article, "url": evil},
        parent=HOSTILE,
    )
    with browsing(browser) as page:  # which fails for an alert, or a script that the policy stops
        one_desk.enter(page)
        for summary in page.locator("#cards summary").all():
            if summary.locator("xpath=..").get_attribute("open") is None:
                summary.click()
        page.get_by_label("Note for other moderators").fill(HOSTILE)
        page.get_by_role("button", name="Reject as spam").click()
        expect(outcome(page)).to_contain_text("Rejected as spam")
        page.goto(f"{one_desk.address}/review/comments/{kept}")
        expect(page.locator(".history")).to_contain_text(HOSTILE)
        assert page.locator("img, #cards script, svg[onload]").count() == 0
        assert page.locator("a[href^=javascript]").count() == 0


def test_the_policy_stops_an_inline_script(browser: Browser, one_desk: Desk) -> None:
    with pytest.raises(AssertionError, match="Content Security Policy"), browsing(browser) as page:
        one_desk.enter(page)
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
        )
        page.wait_for_timeout(100)
