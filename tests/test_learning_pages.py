"""The pages of figures, models and webhooks, over HTTP and in a real browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation import settings
from moderation.settings import Policy
from moderation.shelf import ModelShelf
from moderation.store import Store
from moderation.store.lineage import record
from moderation.verdict import Author, Comment, Finding, Verdict
from tests.browser import PHONE, browsing, fits_its_window
from tests.receiver import SECRET
from tests.serving import Served
from tests.small_models import installed, noise, zeros
from tests.test_retrain import ADVERT, HONEST, THINGS, wary_of_pills

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
HELD = Verdict("hold", (Finding("spam"),), {"spam": 0.9, "abuse": 0.1}, "x", model="wary-1")
FINE = Verdict("publish", (), {"spam": 0.1, "abuse": 0.1}, "x", model="wary-1")


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url, lambda site: True)
    yield opened
    opened.close()


@pytest.fixture
def policy() -> Policy:
    return settings.load({}).policy("default")


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    wary_of_pills(tmp_path / "models")
    hooks = {"webhook_url": "http://127.0.0.1:9/<b>", "webhook_secret": SECRET}
    with Served(tmp_path, database=database_url, **hooks) as started:
        yield started


def keep(store: Store, policy: Policy, text: str, verdict: Verdict = HELD) -> str:
    return store.record(policy, [Comment(text, Author(EVIL))], [verdict])[0].id


def sign_in(page: Page, served: Served, store: Store, role: Any, path: str) -> None:
    key = store.keys.create("default", role, EVIL)
    page.goto(f"http://127.0.0.1:{served.port}{path}")
    page.get_by_label("Key of a moderator or admin").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_an_admin_retrains_looks_activates_and_goes_back(
    browser: Browser, served: Served, store: Store, policy: Policy
) -> None:
    texts = [line.format(thing) for line in HONEST for thing in THINGS]
    for text in texts[:-4]:
        store.review("default", keep(store, policy, text), "publish", "ok")
    for thing in THINGS:
        store.review("default", keep(store, policy, ADVERT.format(thing)), "reject", "spam")
    for text in texts[-4:]:
        keep(store, policy, f"{text} {EVIL}")
    with browsing(browser) as page:
        sign_in(page, served, store, "admin", "/review/models")
        expect(
            page.get_by_text("56 comments on all sites have a moderator's label")
        ).to_be_visible()
        expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
        page.get_by_role("button", name="Start a retrain").click()
        compare = page.get_by_role("link", name="Which verdicts change")
        compare.wait_for(timeout=240_000)
        expect(page.get_by_text("each judged by a model that did not see it")).to_be_visible()
        (made,) = store.retrains.newest()
        assert made.version is not None
        compare.click()
        expect(page.get_by_role("heading", name=f"{made.version} against wary-1")).to_be_visible()
        freed = page.locator("ul.changed > li")
        assert freed.count() >= 48
        expect(freed.filter(has_text=EVIL)).to_have_count(4)
        expect(freed.first.get_by_text("hold", exact=True)).to_be_visible()
        expect(freed.first.get_by_text("publish", exact=True)).to_be_visible()
        expect(page.get_by_text("Of the 56 with a moderator's label")).to_be_visible()
        page.get_by_role("button", name=f"Activate {made.version}").click()
        models = page.locator(".models li")
        expect(models.filter(has_text=made.version).get_by_text("active")).to_be_visible()
        page.get_by_role("button", name="Roll back to wary-1").click()
        before = models.filter(has_text="wary-1")
        expect(before.get_by_text("active", exact=True)).to_be_visible()
        own = store.queue("default", limit=1, status="published").comments[0].id
        store.erase("default", own)
        page.reload()
        expect(page.get_by_text("Learned from 1 comment that was erased since")).to_be_visible()


def test_a_training_is_shown_until_it_ends(
    browser: Browser, served: Served, store: Store, policy: Policy
) -> None:
    store.review("default", keep(store, policy, "a fine day"), "publish", "ok")
    with browsing(browser) as page:
        sign_in(page, served, store, "admin", "/review/models")
        # begun, as another process would: how long a real one takes is the machine's affair
        begun = store.retrains.begin("somebody")
        store.retrains.alive(begun, "Fitting")
        page.reload()
        status = page.get_by_role("status").filter(has_text="Training since")
        expect(status.get_by_text("Fitting")).to_be_visible()
        expect(page.get_by_role("button", name="Start a retrain")).to_have_count(0)
        store.retrains.failed(begun, "it was stopped")
        page.get_by_text("it was stopped").wait_for()  # the page asks again by itself
        expect(page.get_by_role("button", name="Start a retrain")).to_be_visible()


def test_without_javascript_all_of_it_works_but_by_itself(
    browser: Browser, served: Served, store: Store, policy: Policy
) -> None:
    store.review("default", keep(store, policy, "a fine day"), "publish", "ok")
    with browsing(browser, javascript=False, size=PHONE) as page:
        sign_in(page, served, store, "admin", "/review/models")
        page.get_by_role("button", name="Start a retrain").click()
        failed = page.get_by_text("every row is 'ok'")
        failed.wait_for(timeout=120_000)  # the page asks again by itself
        expect(page.get_by_text("failed", exact=True)).to_be_visible()
        assert fits_its_window(page)


def test_a_moderator_looks_but_does_not_switch(
    browser: Browser, served: Served, store: Store, policy: Policy, tmp_path: Path
) -> None:
    store.review("default", keep(store, policy, "a fine day"), "publish", "ok")
    installed(tmp_path / "models", "other-1", noise())
    with browsing(browser) as page:
        sign_in(page, served, store, "moderate", "/review/models")
        expect(page.get_by_role("link", name="Compare other-1")).to_have_count(1)
        expect(page.get_by_role("button", name="Start a retrain")).to_have_count(0)
        expect(page.get_by_role("button", name="Activate")).to_have_count(0)
        expect(page.get_by_role("link", name="Webhooks")).to_have_count(0)
        # whoever makes the form by hand is told so too
        page.evaluate(
            """() => { const form = document.createElement('form'); form.method = 'post';
            form.action = '/review/models/other-1/activate'; document.body.append(form);
            form.append(document.querySelector('[name=csrf]').cloneNode()); form.submit(); }"""
        )
        page.get_by_text("needs a key of role admin").wait_for()
    assert ModelShelf(tmp_path / "models").active_version() == "wary-1"


def test_a_broken_model_is_shown_as_such_and_not_loaded(
    browser: Browser, served: Served, store: Store, tmp_path: Path
) -> None:
    folder = installed(tmp_path / "models", "broken-1", zeros())
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": EVIL}))
    with browsing(browser) as page:
        sign_in(page, served, store, "admin", "/review/models")
        row = page.locator(".models li", has_text="broken-1")
        expect(row.get_by_text("was not loaded")).to_be_visible()
        expect(row.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_figures_are_drawn_and_told(
    browser: Browser, served: Served, store: Store, policy: Policy, dark: bool
) -> None:
    store.record(policy, [Comment(f"fine {number}") for number in range(199)], [FINE] * 199)
    for word in ("publish", "reject", ""):
        own = keep(store, policy, f"held {word}")
        if word:
            store.review("default", own, word, None)  # type: ignore[arg-type]
    with browsing(browser, dark=dark, size=PHONE) as page:
        sign_in(page, served, store, "moderate", "/review/figures")
        expect(page.get_by_text("1 of 200 honest comments were held")).to_be_visible()
        expect(page.get_by_text("too few to tell")).to_be_visible()
        expect(page.get_by_text("1 for spam or abuse still wait")).to_be_visible()
        expect(page.get_by_text("Too few to compare: 202")).to_have_count(2)
        plots = page.get_by_role("img")
        expect(plots).to_have_count(3)
        for kind in ("upheld", "overturned", "waiting"):
            box = page.locator(f"svg.plot rect.{kind}").bounding_box()
            assert box is not None and box["height"] > 5
        ground = page.locator("section.panel").first.evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        colours = {
            page.locator(f"svg.plot rect.{kind}").evaluate("e => getComputedStyle(e).fill")
            for kind in ("upheld", "overturned", "waiting")
        }
        assert len(colours) == 3 and ground not in colours
        page.get_by_text("Table", exact=True).first.click()
        expect(page.get_by_role("row", name=re.compile("^all 202 3 1 1 1 0"))).to_be_visible()
        assert fits_its_window(page)
        page.get_by_role("link", name="90 days").click()
        expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "page")


def test_an_empty_site_has_a_page_of_figures(
    browser: Browser, served: Served, store: Store
) -> None:
    with browsing(browser) as page:
        sign_in(page, served, store, "moderate", "/review/figures?days=<script>")
        expect(page.get_by_text("No comment came in these days.")).to_be_visible()
        expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")


def test_dead_letters_are_shown_and_sent_again(
    browser: Browser, served: Served, store: Store, policy: Policy
) -> None:
    for name in ("one", "two"):
        store.review("default", keep(store, policy, name), "publish", None)
        while not (message := store.outbox.claim()):
            time.sleep(0.05)  # the service itself is trying in this moment
        store.outbox.failed(message, f"answered {EVIL}", for_good=True)
    with browsing(browser, size=PHONE) as page:
        sign_in(page, served, store, "admin", "/review/webhooks")
        expect(page.get_by_role("heading", name="Given up: 2")).to_be_visible()
        expect(page.get_by_text(f"answered {EVIL}")).to_have_count(2)
        assert fits_its_window(page)
        page.get_by_role("button", name="Send again").first.click()
        expect(page.get_by_role("heading", name="Given up: 1")).to_be_visible()
        expect(page.get_by_role("heading", name="Waiting: 1")).to_be_visible()
        page.get_by_role("button", name="Send all again").click()
        expect(page.get_by_role("heading", name="Given up: 0")).to_be_visible()


def test_what_a_model_is_called_and_who_taught_it_is_shown_as_text(
    browser: Browser, served: Served, store: Store, tmp_path: Path
) -> None:
    installed(tmp_path / "models", "made-1", noise(), taught_on_top_of=EVIL, created=EVIL)
    record(store._database, "made-1", None, ["gone"])
    begun = store.retrains.begin(EVIL)
    store.retrains.done(begun, "made-1", None, f"# Report {EVIL}", [f"worse {EVIL}"], [])
    store.retrains.failed(store.retrains.begin(EVIL), f"problem {EVIL}")
    with browsing(browser) as page:
        sign_in(page, served, store, "admin", "/review/models")
        for shown in ("worse", "problem", "Taught on top of"):
            expect(page.get_by_text(f"{shown} {EVIL}")).to_have_count(1)
        page.get_by_role("link", name="Compare made-1").click()
        expect(page.get_by_role("heading", name="made-1 against wary-1")).to_be_visible()
        expect(page.get_by_text(f"worse {EVIL}")).to_be_visible()
