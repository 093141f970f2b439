"""The start page: its shelves, in a library of somebody's life, and how they are come back to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accessible import serious_in_both_themes
from in_browser import held_back, photo_dialog, reload, results_of, settled, shows, watched_page
from optional import needs_chromium
from PIL import Image
from served import Served, served_here

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from photosearch import Library
from photosearch.encoders import open_encoder

pytestmark = [needs_chromium, pytest.mark.slow]

TODAY = "2024-05-03"
# Clocks go on.
ON_THAT_DAY = f"""window.Date = class extends Date {{
    constructor(...given) {{ super(...(given.length ? given : ["{TODAY}T09:00"])); }}
}};"""
HOME = (52.52, 13.40, Place("Berlin", "Berlin", "Germany"))
ROME = (41.89, 12.48, Place("Rome", "Lazio", "Italy"))
LISBON = (38.72, -9.14, Place("Lisbon", "Lisbon", "Portugal"))
SHELVES = ["On this day", "Latest trips", "Saved searches", "Favourites", "People"]


def life() -> Iterator[tuple[str, tuple[float, float, Place], tuple[str, ...]]]:
    """When and where each photo was taken, and who is in it: four days of each month at home, two
    trips, and this day of three years.
    """
    for month in range(1, 13):
        for day in range(10, 14):
            yield f"2022-{month:02}-{day}T12:00:00", HOME, ("Tom",) if day == 10 else ()
    for first, where in (("2022-06-20", ROME), ("2022-09-01", LISBON)):
        for number in range(3):
            day = date.fromisoformat(first) + timedelta(number)
            for hour in (9, 12):
                yield f"{day}T{hour:02}:00:00", where, ("Anna Berger", "Tom")
    for year, hours in ((2019, range(8, 18)), (2021, range(9, 11)), (2023, range(12, 13))):
        for hour in hours:
            yield f"{year}-05-03T{hour:02}:00:00", HOME, ("Anna Berger",) if year == 2023 else ()


def make_library(place: Path, bundle: Path) -> Path:
    """A library of these, with a picture each of its own colour."""
    made = []
    (place / "photos").mkdir(parents=True)
    for number, (taken, (north, east, where), people) in enumerate(life()):
        path = place / "photos" / f"{number:03}.jpg"
        width, height = ((600, 400), (400, 600), (800, 450))[number % 3]
        colour = tuple(int(90 + 80 * np.sin(number * step)) for step in (1, 2, 3))
        picture = Image.linear_gradient("L").resize((width, height))
        Image.merge("RGB", [picture.point(lambda at, c=c: (at + c) // 2) for c in colour]).save(
            path
        )
        stat = path.stat()
        metadata = Metadata(
            taken, latitude=north, longitude=east, place=where, keywords=people, people=people
        )
        stamp = FileStamp(stat.st_size, stat.st_mtime_ns)
        digest = bytes([number]) * 32
        made.append(NewPhoto(str(path), stamp, width, height, "JPEG", digest, metadata))
    encoder = open_encoder(bundle)
    with Catalogue.open(place / "library") as catalogue:
        vectors = np.random.default_rng(0).normal(size=(len(made), encoder.dim))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        catalogue.record(encoder.bundle_id, made, vectors.astype(np.float32))
        catalogue.use_bundle(encoder.bundle_id)
    with Library.open(place / "library", model=bundle) as library:
        library.albums.add_photos(range(1, 41, 3))
        library.saved.add("Tom in Rome", "in:Rome person:Tom")
    return place / "library"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    library = make_library(tmp_path_factory.mktemp("start"), tiny_bundle)
    with served_here(library, tiny_bundle) as server:
        yield server


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    with watched_page(browser, server, script=ON_THAT_DAY) as page:
        started(page)
        yield page


def started(page: Any) -> None:
    shows(page, ".shelves", TODAY)


def shelf(page: Any, name: str) -> Any:
    return page.get_by_role("list", name=name, exact=True)


def texts(page: Any, what: str) -> list[str]:
    return [" ".join(one.split()) for one in page.locator(f".start {what}").all_inner_texts()]


def box(page: Any) -> Any:
    return page.get_by_label("Describe a photo")


def at(page: Any, text: str) -> None:
    """The page shows the results for a text, and no start page."""
    assert results_of(page, text, collapse=True)
    assert box(page).input_value() == text
    assert not page.locator(".start").is_visible()


def test_each_shelf_leads_on_and_back(page: Any) -> None:
    assert texts(page, "h2") == SHELVES
    assert texts(page, "h2 + .quiet") == ["3 May"]
    assert (
        page.get_by_role("heading", name="Recently added")
        .or_(page.get_by_role("heading", name="Recently added"))
        .is_visible()
    )
    assert texts(page, ".year .entry") == [
        "1 year ago 1 photo", "3 years ago 2 photos", "5 years ago 10 photos",
    ]  # fmt: skip
    assert shelf(page, "On this day").locator("img").count() == 6
    # How the browser writes spans of days differs from one to the next.
    trips = [re.sub(r"[^\w,]+", " ", one) for one in texts(page, ".trip")]
    assert trips == ["Lisbon, 1 3 September 2022 6 photos", "Rome, 20 22 June 2022 6 photos"]
    assert texts(page, ".person") == ["Tom 24 photos", "Anna Berger 13 photos"]
    for name, pressed, text in (
        ("On this day", "3 years ago", "on:2021-05-03"),
        ("Latest trips", "Rome", "on:2022-06-20..2022-06-22"),
        ("Saved searches", "Tom in Rome", "in:Rome person:Tom"),
        ("People", "Anna Berger", 'person:"Anna Berger"'),
    ):
        shelf(page, name).get_by_role("button", name=pressed).first.click()
        at(page, text)
        page.go_back()
        results_of(page, "")
        assert texts(page, "h2") == SHELVES
        assert not box(page).input_value()


def test_a_photo_opens_among_those_of_its_shelf(page: Any, server: Served) -> None:
    years = server.ask(f"/api/start?today={TODAY}").json["anniversaries"]["years"]
    names = [photo["name"] for year in years for photo in year["photos"]]
    first = shelf(page, "On this day").locator(".shot").first
    first.click()
    viewer = photo_dialog(page, names[0])
    assert viewer.locator(".previous").is_disabled()
    for name in names[1:]:
        page.keyboard.press("ArrowRight")
        photo_dialog(page, name)
    assert viewer.locator(".next").is_disabled()
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    page.wait_for_function("name => document.activeElement.title === name", arg=names[-1])


def test_one_stop_of_the_tab_key_for_each_shelf(page: Any) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.closest('.shelf')?.dataset.shelf"))

    shelf(page, "On this day").locator(".shot").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent").startswith("1 year ago")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent").startswith("5 years ago")
    page.keyboard.press("Tab")
    assert focused() == "trips"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("5 years ago")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    at(page, "on:2022-09-01..2022-09-03")


def test_favourites_are_all_in_browse_and_change_at_once(page: Any) -> None:
    row = shelf(page, "Favourites")
    assert row.locator(".shot").count() == 14
    page.get_by_role("button", name="All favourites").click()
    shows(page, "#place-browse", "favourites")
    assert page.locator("#browse .tile").count() == 14
    page.go_back()
    results_of(page, "")
    row.locator(".shot").first.click()
    viewer = photo_dialog(page)
    heart = viewer.get_by_role("button", name="Favourite", exact=True)
    for count in (13, 14):
        heart.click()
        page.keyboard.press("Escape")
        viewer.wait_for(state="hidden")
        started(page)
        page.wait_for_function(
            "count => document.querySelectorAll('[data-shelf=favourites] .shot').length === count",
            arg=count,
        )
        if count == 13:
            page.go_forward()
            photo_dialog(page)


def test_shelves_have_their_places_before_they_come(page: Any) -> None:
    shows(page, ".examples", "examples")
    top = page.locator("#results .grid").bounding_box()["y"]
    with held_back(page, "**/api/start*") as held:
        reload(page)
        held.wait()
        assert texts(page, "h2") == SHELVES
        shows(page, ".examples", "examples")
        assert abs(page.locator("#results .grid").bounding_box()["y"] - top) < 40
    started(page)
    assert page.locator("#results .grid").bounding_box()["y"] == top
    # What turns a row on goes where nothing is out of sight, and moves nothing.
    page.wait_for_function("document.querySelectorAll('.shelf .turns:has(.idle + .idle)').length")
    assert page.locator("#results .grid").bounding_box()["y"] == top


def test_on_screens_of_each_width_all_can_be_used(page: Any) -> None:
    for width in (1440, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        started(page)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious_in_both_themes(page) == []
        heights = page.locator(".start .row button:visible").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().height)"
        )
        assert min(heights) >= 40
