"""A real browser: Debian's Chromium, driven by Playwright.

    def test_something(browser: Browser) -> None:
        with browsing(browser, javascript=False) as page:
            page.goto(url)

Whatever a page logs as an error (a script that the content-security policy stops, say) fails the
test that opened it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

PHONE = (360, 740)
DESK = (1200, 900)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def browsing(
    browser: Browser,
    *,
    size: tuple[int, int] = DESK,
    dark: bool = False,
    javascript: bool = True,
    scale: float = 1,
) -> Iterator[Page]:
    """A page with cookies of its own."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=javascript,
        device_scale_factor=scale,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # an answer of 4xx is logged as one too, and may be what a test is after
        if message.type == "error" and "status of 4" not in message.text:
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    try:
        yield page
    finally:
        context.close()
    assert not errors, errors


def fits_its_window(page: Page) -> bool:
    """Whether nothing sticks out at the side, once the page is laid out: asked right after it was
    sent a form on a busy machine, a page that fits has said that it does not."""
    for _ in range(20):
        if page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            return True
        page.wait_for_timeout(100)
    return False
