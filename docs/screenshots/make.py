"""Takes the pictures in this folder, of the demo's pictures: python docs/screenshots/make.py

It starts `photosearch ui` with a library of its own, and chromium.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from family import make_family_photos
from in_browser import chromium
from PIL import Image
from served import Served, served

from photosearch import Library

HERE = Path(__file__).parent
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
LARGEST = 150_000


def save(page: Any, name: str) -> None:
    # What loads late, such as pictures, is there, and nothing moves.
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(700)
    picture = Image.open(io.BytesIO(page.screenshot()))
    for quality in (82, 70, 55):
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=quality, method=6)
        if out.tell() < LARGEST:
            break
    (HERE / f"{name}.webp").write_bytes(out.getvalue())
    print(f"{name}.webp", out.tell() // 1000, "kB")


def first_run(page: Any, end: str) -> None:
    save(page, f"first-run-{end}")


def pages(page: Any, end: str) -> None:
    save(page, f"start-{end}")
    page.get_by_label("Describe a photo").fill("a cat -lion before:2024")
    page.wait_for_selector(".chip")
    save(page, f"search-{end}")
    page.get_by_label("Describe a photo").fill("a cup of coffee")
    page.wait_for_function("document.querySelector('#results .tile')?.title == 'coffee.jpg'")
    page.locator("#results .tile").first.click()
    page.locator(".details dl").wait_for()
    page.wait_for_function("document.querySelector('.large').src.includes('/screen/')")
    save(page, f"photo-{end}")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    page.locator("#browse .tile").first.wait_for()
    save(page, f"timeline-{end}")
    page.get_by_role("button", name="Places").click()
    page.locator(".cards img").first.wait_for()
    save(page, f"places-{end}")
    page.get_by_role("tab", name="Library").click()
    page.locator(".models li").first.wait_for()
    save(page, f"library-{end}")


def in_all(browser: Any, server: Served, take: Any) -> None:
    for size, (width, height) in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
            )
            page = context.new_page()
            page.goto(server.url)
            page.wait_for_selector("body.ready")
            take(page, f"{size}-{theme}")
            context.close()


if __name__ == "__main__":
    # A short path: it is seen on the pages.
    with tempfile.TemporaryDirectory(prefix="photos-") as folder, chromium() as browser:
        place = Path(folder)
        with served(place / "empty", None) as server:
            in_all(browser, server, first_run)
        make_family_photos(place / "Pictures")
        with Library.open(place / "library") as library:
            for _ in library.index([place / "Pictures"], workers=2):
                pass
        with served(place / "library", None) as server:
            in_all(browser, server, pages)
