"""A real browser for the tests of the pages; they are skipped where there is no chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from served import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What the browser notes of a request that we refused, with a message that the page shows.
REFUSED = "Failed to load resource: the server responded with a status of 400 (Bad Request)"


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Any, server: Served, **options: Any) -> Iterator[Any]:
    """A page that fails the test when anything goes wrong in it or leaves the machine."""
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: said.type == "error" and said.text != REFUSED and wrong.append(said.text),
    )
    page.on(
        "request",
        lambda request: (
            request.url.startswith((server.url, "data:", "blob:")) or wrong.append(request.url)
        ),
    )
    page.goto(server.url)
    page.wait_for_selector("body.ready")
    yield page
    page.evaluate("0")  # by then all that has gone wrong is told of
    # Requests that are cut off by the closing go wrong as well.
    told = list(wrong)
    context.close()
    assert not told, told
