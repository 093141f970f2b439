"""The page while much of a shared archive is fetched: it says how far that is, and goes on then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from catalogue_data import BUNDLE, new_photos, unit_vectors
from in_browser import ready, window
from optional import needs_chromium
from postgres import KEEPER, Postgres, database_of
from served import served_here
from slow_line import Line, line_to

from index import Catalogue
from index.shared.address import folder_of

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    """To the server, which does not get through with all of an archive."""
    with line_to(postgres.socket, KEEPER) as line:
        line.room = 30_000
        yield line


def test_it_says_what_is_fetched_and_is_there_afterwards(
    browser: Any,
    postgres: Postgres,
    line: Line,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    address = postgres.archive()
    with Catalogue.open(folder_of(address, tmp_path / "other")) as catalogue:
        catalogue.record(BUNDLE, new_photos(300), unit_vectors(300))
    far = line.address(database_of(address))
    with (
        served_here(far, tiny_bundle) as server,  # type: ignore[arg-type]
        window(browser, server, locale="de-DE") as page,
    ):
        page.goto(server.url)
        told = page.get_by_role("status").filter(has_text="Die Kopie für diesen Computer")
        told.wait_for()
        # As numbers are written in German; and an address is no wider than a phone.
        assert re.search(r" von 1\.\d{3} Zeilen", told.text_content())
        page.set_viewport_size({"width": 390, "height": 844})
        box = told.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert told.evaluate("each => each.scrollWidth <= each.clientWidth")
        line.room = None
        ready(page)
        assert not told.is_visible()
    postgres.give_back(address)
