"""What a first visit may load, and what a letter may ask for: numbers, which need no clock."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from in_browser import ask, results_of, settled, watched_page
from optional import needs_chromium
from served import Served

pytestmark = [pytest.mark.slow, needs_chromium]

# Of a browser that knows nothing of the page: bytes as they are sent, and requests, beside the
# photos' pictures. About a tenth more than it takes: what adds to them is to be noticed.
GRADIO, OURS, REQUESTS = 340_000, 470_000, 135
# Elements of a photo in the list, which are drawn anew with each letter: itself, what opens and
# what selects it, its picture and its caption.
TILE = 5

_LOADED = """() => [
    ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
].map(({ name, transferSize }) => [name, transferSize])"""


def test_a_visit_and_a_letter_cost_no_more_than_they_may(browser: Any, server: Served) -> None:
    many = "performance.setResourceTimingBufferSize(5000)"
    # One that has kept nothing of earlier pages.
    with watched_page(browser, server, alone=True, script=many) as page:
        settled(page)
        loaded = [(urlsplit(name).path, size) for name, size in page.evaluate(_LOADED)]
        files = [one for one in loaded if not one[0].startswith("/api/thumbnail/")]
        ours = sum(size for name, size in files if name.startswith(("/ui/", "/api/")))
        gradio = sum(size for _, size in files) - ours
        assert 100_000 < ours < OURS
        assert 100_000 < gradio < GRADIO
        assert len(files) < REQUESTS
        tiles = "all => all.map(one => one.querySelectorAll('*').length + 1)"
        plain = page.locator("#results .grid > li:not(:has(.stack, .badges))")
        assert max(plain.evaluate_all(tiles)) == TILE

        # What is typed is searched for first; what may be meant is asked for when that is answered.
        assert ask(page, "an anima")
        settled(page)
        asked: list[str] = []
        page.on("request", lambda one: asked.append(urlsplit(one.url).path))
        page.get_by_label("Describe a photo").press("l")
        assert results_of(page, "an animal")
        page.wait_for_selector("#suggestions[data-shows='an animal']", state="attached")
        settled(page)
        mine = [path for path in asked if not path.startswith("/api/thumbnail/")]
        assert mine == ["/api/search", "/api/suggest"]
