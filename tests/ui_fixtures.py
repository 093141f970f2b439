"""What tests of the pages share: a browser, the family's library, its server, and a page of it.

A file that needs another library has a `server` of its own; `page` then shows that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from family import make_family_photos
from in_browser import chromium, watched_page
from PIL import Image
from screens import unseen_screen
from served import Served, served_here

from photosearch import Library


# Not for the whole session: while Playwright runs, no other test could call asyncio.run().
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A family's photos, one of them broken and one there in two sizes, and their library, made by
    the bundled model.

    Session-wide: a test leaves photos and library as they were.
    """
    place = tmp_path_factory.mktemp("family")
    make_family_photos(place / "photos")
    camera = place / "photos" / "scans" / "camera.jpg"
    with Image.open(camera) as image:
        small = image.resize((image.width // 2, image.height // 2))
        small.save(camera.with_name("camera small.jpg"), exif=image.getexif())
    (place / "photos" / "broken.jpg").write_bytes(b"no picture")
    with Library.open(place / "library") as library:
        for _ in library.index([place / "photos"], workers=2):
            pass
    return place


# Nor this: it has processes of its own, which tests of others would take for theirs.
@pytest.fixture(scope="module")
def server(family: Path) -> Iterator[Served]:
    with served_here(family / "library") as server:
        yield server


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    with watched_page(browser, server) as page:
        yield page


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a screen that nobody sees."""
    with unseen_screen() as name:
        yield name
