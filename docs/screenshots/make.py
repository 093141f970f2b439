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
from in_browser import ask, chromium, open_tile, ready, reload, settled, shows
from PIL import Image
from served import Served, served

from photosearch import Library

HERE = Path(__file__).parent
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
LARGEST = 150_000
BLANK = """() => [...document.images].filter(one => {
    const { top, bottom } = one.getBoundingClientRect();
    return bottom > 0 && top < innerHeight && !one.naturalWidth;
}).length < 2"""
LARGE = "() => document.querySelector('.large').src.includes('/screen/')"
ALBUMS = {
    "Safari": ("cheetah", "cheetah1", "cheetah2", "lion"),
    "Paris in May": ("tower", "coffee", "chelsea"),
    "To the moon": ("moon", "rocket", "astronaut"),
}


def save(page: Any, name: str) -> None:
    settled(page)
    keep(page, name)


def keep(page: Any, name: str) -> None:
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
    shows(page, ".examples", "examples")
    save(page, f"start-{end}")
    ask(page, "a cat -lion before:2024")
    save(page, f"search-{end}")
    ask(page, "a cup of coffee")
    open_tile(page, "coffee.jpg")
    page.wait_for_function(LARGE)
    save(page, f"photo-{end}")
    page.get_by_role("button", name="Why this photo?").click()
    shown = page.get_by_role("button", name="Show where")
    shown.wait_for()
    shown.scroll_into_view_if_needed()
    save(page, f"why-{end}")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    shows(page, "#place-browse", "month")
    save(page, f"timeline-{end}")
    for kind in ("place", "camera", "album"):
        page.get_by_role("button", name=f"{kind}s").click()
        shows(page, "#place-browse", kind)
        save(page, f"{kind}s-{end}")
    page.get_by_role("button", name="Duplicates").click()
    shows(page, "#place-browse", "duplicates")
    page.get_by_label("Include near-duplicates").check()
    shows(page, ".duplicates", "near")
    save(page, f"duplicates-{end}")
    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    save(page, f"library-{end}")


def fill_albums(server: Served) -> None:
    photos = server.ask("/api/browse?limit=500").json["hits"]
    for name, stems in ALBUMS.items():
        album = server.post("/api/albums", {"name": name}).json["id"]
        ids = [photo["id"] for photo in photos if Path(photo["name"]).stem in stems]
        server.post(f"/api/albums/{album}/photos", {"ids": ids})


def many_photos(folder: Path, count: int = 1500) -> None:
    """Parts of the family's photos, all of them different, which take a moment to index."""
    made = [Image.open(path) for path in sorted(make_family_photos(folder / "originals"))]
    originals = [picture for picture in made if min(picture.size) > 250]
    for number in range(count):
        picture = originals[number % len(originals)]
        left = number // len(originals)
        part = picture.crop((left, 0, picture.width, picture.height - left))
        part.thumbnail((480, 480))
        part.save(folder / f"IMG_{number:04}.jpg", quality=80)


def indexing(browser: Any, server: Served, folder: Path) -> None:
    """While a run goes on, which is begun here."""
    opened: list[tuple[Any, str]] = []
    in_all(browser, server, lambda page, end: opened.append((page, end)), close=False)
    server.post("/api/index", {"folders": [str(folder)]})
    for page, _ in opened:
        reload(page)
    for page, end in opened:
        page.bring_to_front()
        page.get_by_text("photos per second").first.wait_for()
        page.wait_for_function("() => document.querySelectorAll('#results .tile').length > 20")
        # New ones keep coming; most are drawn.
        page.wait_for_function(BLANK)
        keep(page, f"indexing-{end}")
        page.context.close()
    server.post("/api/stop", {})


def in_all(browser: Any, server: Served, take: Any, *, close: bool = True) -> None:
    for size, (width, height) in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
            )
            page = context.new_page()
            page.goto(server.url)
            ready(page)
            take(page, f"{size}-{theme}")
            if close:
                context.close()


if __name__ == "__main__":
    # A short path: it is seen on the pages.
    with tempfile.TemporaryDirectory(prefix="photos-") as folder, chromium() as browser:
        place = Path(folder)
        with served(place / "empty", None) as server:
            in_all(browser, server, first_run)
            many_photos(place / "Camera")
            indexing(browser, server, place / "Camera")
        make_family_photos(place / "Pictures")
        with Library.open(place / "library") as library:
            for _ in library.index([place / "Pictures"], workers=2):
                pass
        with served(place / "library", None) as server:
            fill_albums(server)
            in_all(browser, server, pages)
