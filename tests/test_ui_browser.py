"""The pages in a real browser, from the first run on; skipped where there is no chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served, served

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

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pages") / "library", tiny_bundle) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    """A page that fails the test when anything goes wrong in it or leaves the machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
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
    yield page
    context.close()
    assert wrong == []


def test_from_the_first_run_to_a_photo(page: Any, server: Served, pictures: Path) -> None:
    page.goto(server.url)
    page.wait_for_selector("body.ready")
    page.get_by_label("Folder with photos").first.fill(str(pictures / "nowhere"))
    page.get_by_role("button", name="Start").click()
    assert "there is no such folder" in page.get_by_role("alert").first.text_content()

    page.get_by_label("Folder with photos").first.fill(str(pictures))
    page.get_by_role("button", name="Start").click()
    page.get_by_text("All photos are indexed").wait_for()
    tiles = page.locator(".grid .tile")
    assert tiles.count() == 6

    page.keyboard.press("/")
    page.keyboard.type("a cat")
    page.get_by_text("6 photos, best matches first").wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('.grid img')].every(i => i.complete && i.naturalWidth)"
    )
    assert sorted(tiles.locator("img").evaluate_all("all => all.map(one => one.alt)")) == sorted(
        path.name for path in pictures.iterdir()
    )

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Photo")
    second = viewer.get_by_role("heading").text_content()
    page.keyboard.press("ArrowLeft")
    viewer.get_by_text(str(pictures)).wait_for()
    assert viewer.get_by_role("heading").text_content() != second
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    name = download.value.suggested_filename
    assert Path(download.value.path()).read_bytes() == (pictures / name).read_bytes()
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.querySelector('img').alt") == name

    page.get_by_role("tab", name="Library").click()
    page.locator("#library .known").get_by_text(str(pictures)).wait_for()
    page.get_by_text("Every file could be read.").wait_for()


def test_the_pages_are_in_the_browsers_language(browser: Any, server: Served) -> None:
    page = browser.new_page(locale="de-AT")
    page.goto(server.url)
    page.get_by_role("tab", name=re.compile("Bibliothek")).wait_for()
    page.wait_for_selector("body.ready")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.close()
