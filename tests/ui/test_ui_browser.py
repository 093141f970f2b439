"""The pages in a real browser, from the first run on; skipped where there is no chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import photo_dialog, ready, results_of, settled, shows
from optional import needs_chromium
from served import Served, served

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pages") / "library", tiny_bundle) as server:
        yield server


def test_from_the_first_run_to_a_photo(page: Any, server: Served, pictures: Path) -> None:
    page.get_by_label("Folder with photos").first.fill(str(pictures / "nowhere"))
    page.get_by_role("button", name="Start").click()
    page.get_by_role("alert").get_by_text("there is no such folder").wait_for()

    page.get_by_label("Folder with photos").first.fill(str(pictures))
    page.get_by_role("button", name="Start").click()
    page.get_by_text("All photos are indexed").wait_for()
    assert len(results_of(page, "")) == 6

    page.keyboard.press("/")
    page.keyboard.type("a cat")
    names = results_of(page, "a cat")
    assert sorted(names) == sorted(path.name for path in pictures.iterdir())
    page.get_by_text("6 photos, best matches first").wait_for()
    settled(page)
    images = page.locator("#results .tile img")
    assert all(images.evaluate_all("all => all.map(one => one.naturalWidth)"))
    alts = images.evaluate_all("all => all.map(one => one.alt)")
    # Their names, and when they were taken.
    assert [alt.split(",")[0] for alt in alts] == names

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    photo_dialog(page, names[1])
    page.keyboard.press("ArrowLeft")
    viewer = photo_dialog(page, names[0])
    viewer.get_by_text(str(pictures)).wait_for()
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    name = download.value.suggested_filename
    assert name == names[0]
    assert Path(download.value.path()).read_bytes() == (pictures / name).read_bytes()
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    # The browser gives the focus back to where it was, and then the page to where one has got to.
    page.wait_for_function(
        "name => document.activeElement.querySelector('img')?.alt.startsWith(name)", arg=name
    )

    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    page.locator("#library .known").get_by_text(str(pictures)).wait_for()
    page.get_by_text("All files could be read.").wait_for()


def test_the_pages_are_in_the_browsers_language(browser: Any, server: Served) -> None:
    page = browser.new_page(locale="de-AT")
    page.goto(server.url)
    ready(page)
    page.get_by_role("tab", name=re.compile("Bibliothek")).wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    page.close()
