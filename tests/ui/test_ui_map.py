"""The map in Browse, in a real browser: what it shows, where it leads, and what it reads."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from accessible import serious_in_both_themes
from in_browser import ask, results_of, settled, shows, watched_page
from optional import needs_chromium
from served import Served, served_here

PLACE = "#place-browse"
EARTH = "area=-90,-180,90,180"
# Beside those of the family, which say where they are: on both sides of the date line.
FIJI = {"coins.jpg": (-17.0, 179.97), "moon.jpg": (-17.0, -179.97)}

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def server(family: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("map") / "library"
    shutil.copytree(family / "library", folder)
    with closing(sqlite3.connect(folder / "catalogue.db")) as db, db:
        for name, (north, east) in FIJI.items():
            changed = db.execute(
                "UPDATE metadata SET latitude = ?, longitude = ? "
                "WHERE photo_id = (SELECT id FROM photos WHERE path LIKE '%/' || ?)",
                [north, east, name],
            )
            assert changed.rowcount == 1
    with served_here(folder) as server:
        yield server


@pytest.fixture
def page(page: Any) -> Any:
    return on_map(page)


def on_map(page: Any) -> Any:
    page.get_by_role("tab", name="Browse").click()
    page.get_by_role("button", name="Map").click()
    shows(page, PLACE, "map")
    settled(page)
    return page


def area(page: Any) -> list[float]:
    """Degrees south, west, north and east that the map says it shows."""
    shown = page.locator(".map-page").get_attribute("data-shows")
    return [float(edge) for edge in shown.partition("@")[0].split(",")]


def move(page: Any, act: Any) -> None:
    """Do what moves the map, and wait until it shows what is there."""
    before = page.locator(".map-page").get_attribute("data-shows")
    act()
    page.wait_for_function(
        """before => {
            const map = document.querySelector(".map-page");
            const { shows } = map.dataset;
            return shows !== undefined && shows !== before && !map.hasAttribute("aria-busy");
        }""",
        arg=before,
    )
    settled(page)


def labels(page: Any) -> list[str]:
    found = page.locator(".map .cluster")
    return list(found.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))"))


def heading(page: Any) -> str:
    return str(page.locator(".map-page h2").text_content())


def total(server: Served) -> int:
    return int(server.ask(f"/api/map/photos?{EARTH}").json["total"])


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_all_photos_are_on_it_at_first(browser: Any, server: Served, width: int) -> None:
    with watched_page(browser, server, viewport={"width": width, "height": 900}) as page:
        on_map(page)
        photos = total(server)
        assert photos > len(FIJI)
        assert sum(int(label.split()[0]) for label in labels(page)) == photos
        assert heading(page) == f"{photos} photos in this area"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious_in_both_themes(page) == []
        # Land, water and what lies between them are drawn.
        colours = page.locator(".map canvas").first.evaluate(
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
        assert colours > 1


def test_nothing_of_it_is_read_before_it_is_opened(browser: Any, server: Served) -> None:
    with watched_page(browser, server) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.reload()
        page.wait_for_selector("body.ready")
        settled(page)
        # But for the button above what a search finds.
        assert [path.rsplit("/", 1)[-1] for path in asked if "map" in path] == ["results-map.js"]
        on_map(page)
        assert {"map.js", "leaflet.js", "world.bin"} <= {one.rsplit("/", 1)[-1] for one in asked}


def near(page: Any, town: str) -> Any:
    return page.locator(f".cluster[aria-label$='near {town}']")


EUROPE = ["1 photo near London", "2 photos near Milan", "2 photos near Rome", "3 photos near Paris"]


def test_it_goes_nearer_until_photos_are_at_one_spot(page: Any) -> None:
    europe = near(page, "Paris")
    assert europe.get_attribute("aria-label") == "8 photos near Paris"
    europe.hover()
    cover = page.locator(".map-card img")
    assert cover.get_attribute("src").startswith("/api/thumbnail/")
    settled(page)
    assert cover.evaluate("one => one.naturalWidth > 0")

    move(page, europe.click)
    assert sorted(labels(page)) == EUROPE
    move(page, near(page, "Milan").click)
    assert heading(page) == "2 photos at this spot"
    names = page.locator(".map-page .tile").evaluate_all("all => all.map(one => one.title)")
    assert sorted(names) == ["flower.jpg", "groot.jpg"]
    assert page.evaluate("document.activeElement.textContent") == heading(page)
    move(page, page.get_by_role("button", name="Whole area").click)
    assert heading(page) == "8 photos in this area"


def test_it_is_used_with_the_keyboard_alone(page: Any) -> None:
    near(page, "Paris").focus()
    page.locator(".map-card img").wait_for()
    move(page, lambda: page.keyboard.press("Enter"))
    assert sorted(labels(page)) == EUROPE
    # The map has the focus now, since what had it is gone.
    assert page.evaluate("document.activeElement.className").startswith("map ")
    before = area(page)
    move(page, lambda: page.keyboard.press("ArrowLeft"))
    assert area(page)[1] < before[1]
    move(page, lambda: page.keyboard.press("+"))
    assert area(page)[3] - area(page)[1] < before[3] - before[1]


def test_an_area_is_searched(page: Any) -> None:
    move(page, near(page, "Paris").click)
    shown = area(page)
    page.get_by_role("button", name="Search this area").click()
    box = page.get_by_label("Describe a photo").input_value()
    assert box.startswith("area:")
    assert [float(edge) for edge in box[5:].split(",")] == shown
    # Two that show the same are one.
    assert len(results_of(page, box)) == 7
    chip = page.locator("#results .chip .text")
    assert chip.all_text_contents() == ["area on the map"]
    assert len(ask(page, "area:48.8,2.2,48.9,2.4")) == 3
    assert chip.all_text_contents() == ["in the area of Paris"]


def test_what_a_search_finds_is_on_a_map_instead_of_a_list(browser: Any, server: Served) -> None:
    text = "camera:pixel"
    found = server.ask(f"/api/map/photos?{EARTH}&q={text}").json["total"]
    assert 0 < found < total(server)
    with watched_page(browser, server, address=f"?q={text}") as page:
        listed = results_of(page, text)
        button = page.get_by_role("button", name="Show on the map")
        place = "#place-results .map-page"
        button.click()
        page.wait_for_selector(f"{place}[data-shows]")
        settled(page)
        assert sum(int(label.split()[0]) for label in labels(page)) == found
        assert heading(page) == f"{found} photos in this area"
        assert page.evaluate("new URLSearchParams(location.search).get('map')") == "yes"
        # An area is asked for beside what was asked for, and takes the place of another.
        for town in ("Paris", "Milan"):
            move(page, near(page, town).first.click)
            page.get_by_role("button", name="Search this area").click()
            page.wait_for_url(re.compile("area"))
            box = page.get_by_label("Describe a photo").input_value()
            assert box.startswith(f"{text} area:")
            assert box.count("area:") == 1
            results_of(page, box)
            page.wait_for_function(
                """q => new URLSearchParams(document.querySelector(".results-map .map-page").dataset
                    .shows?.split("&").slice(1).join("&")).get("q") === q""",
                arg=box,
            )
            page.go_back()
            page.wait_for_selector(f"{place}[data-shows$='{text.replace(':', '%3A')}']")
        for width in (1440, 820, 390):
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious_in_both_themes(page) == []
        page.reload()
        page.wait_for_selector(f"{place}[data-shows]")
        assert button.get_attribute("aria-pressed") == "true"
        page.go_back()
        page.locator("#results .results-map").wait_for(state="hidden")
        assert results_of(page, text) == listed
        ask(page, "folder:scans")
        button.click()
        page.get_by_text("None of these photos says where it was taken").wait_for()


def test_the_date_line_is_crossed(page: Any) -> None:
    fiji = page.get_by_role("button", name="2 photos", exact=True)
    move(page, fiji.click)
    _, west, _, east = area(page)
    assert west > 179 > -179 > east
    assert heading(page) == "2 photos in this area"
    page.get_by_role("button", name="Search this area").click()
    box = page.get_by_label("Describe a photo").input_value()
    assert {*results_of(page, box)} == {*FIJI}


def test_it_is_drawn_anew_in_the_dark(page: Any) -> None:
    colour = "canvas => canvas.getContext('2d').getImageData(9, 9, 1, 1).data.join()"
    light = page.locator(".map canvas").first.evaluate(colour)
    page.evaluate("document.body.classList.add('dark')")
    page.wait_for_function(
        """light => {
            const canvas = document.querySelector(".map canvas");
            return canvas?.getContext("2d").getImageData(9, 9, 1, 1).data.join() !== light;
        }""",
        arg=light,
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("area=1,2,3&zoom=3", "3 of the four edges"),
        ("area=-91,0,0,0&zoom=3", "beyond 90 degrees"),
        ("area=5,0,4,0&zoom=3", "above north"),
    ],
)
def test_what_is_no_area_is_told(server: Served, asked: str, said: str) -> None:
    answer = server.ask(f"/api/map?{asked}")
    assert answer.status == 400
    assert said in answer.body.decode()


def test_no_other_zoom_than_a_map_has(server: Served) -> None:
    assert server.ask(f"/api/map?{EARTH}&zoom=23").status == 422
    assert server.ask("/ui/map/make.py").status == 404
