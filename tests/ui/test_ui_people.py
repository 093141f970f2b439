"""People on the page: cards with faces, what is said of one and taken back, boxes in a photo."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accessible import serious_in_both_themes
from in_browser import ask, open_tile, reload, results_of, settled, shows, watched_page
from optional import needs_chromium
from PIL import Image
from served import Served, served_here

from index import Catalogue, FileStamp, Metadata, NewPhoto, Region
from index.catalogue.faces import FoundFace
from photosearch import Library
from photosearch.encoders import open_encoder
from photosearch.faces.model import MODEL

pytestmark = [needs_chromium, pytest.mark.slow]

# Who is in each photo; of the first it is known where the face is, a square of their colour.
PHOTOS = (
    ("Anna", "Ben"), ("Anna",), ("Anna", "Tom"), ("Anna", "Tom", "Ben"), ("Tom",), ("Annie",),
    ("Zoë",), (),
)  # fmt: skip
COLOURS = {
    "Anna": (220, 60, 60),
    "Tom": (40, 90, 220),
    "Annie": (90, 180, 60),
    "Zoë": (200, 0, 200),
}
AREA = (0.5, 0.25, 0.2, 0.3)


def make_library(place: Path, bundle: Path) -> Path:
    (place / "photos").mkdir(parents=True)
    made = []
    for number, people in enumerate(PHOTOS):
        picture = Image.new("RGB", (600, 400), (90 + 15 * number, 130, 120))
        regions: tuple[Region, ...] = ()
        if people:
            picture.paste(COLOURS[people[0]], (300, 100, 420, 220))
            regions = (Region(people[0], *AREA), Region("", 0.1, 0.1, 0.1, 0.15))
        path = place / "photos" / f"{number}.jpg"
        picture.save(path)
        stat = path.stat()
        keywords = (*people, *(f"People|Family|{name}" for name in people if name == "Zoë"))
        made.append(
            NewPhoto(
                str(path),
                FileStamp(stat.st_size, stat.st_mtime_ns),
                *picture.size,
                "JPEG",
                bytes([number]) * 32,
                Metadata(
                    f"2022-01-0{number + 1}", keywords=keywords, people=people, regions=regions
                ),
            )
        )
    encoder = open_encoder(bundle)
    with Catalogue.open(place / "library") as catalogue:
        vectors = np.random.default_rng(0).normal(size=(len(made), encoder.dim))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        catalogue.record(encoder.bundle_id, made, vectors.astype(np.float32))
        catalogue.use_bundle(encoder.bundle_id)
        # As if a face had been found twice, of which nobody says whose it is.
        eyes = np.zeros((5, 2), np.float32)
        somebody = FoundFace((0.1, 0.1, 0.1, 0.15), eyes, 0.9, 60, 20, np.ones(128, np.float32))
        catalogue.faces.put(MODEL, {4: [somebody], 5: [somebody]})
        catalogue.faces.assign({1: -1, 2: -1})
    return place / "library"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    library = make_library(tmp_path_factory.mktemp("people"), tiny_bundle)
    with served_here(library, tiny_bundle) as server:
        yield server


def cards(page: Any) -> list[str]:
    shows(page, "#place-browse", "person")
    found = page.locator("#browse .somebody").all_inner_texts()
    return [" ".join(one.split()) for one in found]


def press(page: Any, name: str) -> None:
    page.locator("#browse").get_by_role("button", name=name, exact=True).click()


def at(page: Any, name: str) -> None:
    """The page of one person."""
    shows(page, "#place-browse", f"person:{name}")
    page.get_by_role("heading", name=name, exact=True).wait_for()


def answer(page: Any, text: str, button: str) -> None:
    dialog = page.locator("dialog.chooser")
    dialog.get_by_role("textbox").or_(dialog.get_by_role("combobox")).fill(text)
    dialog.get_by_role("button", name=button, exact=True).click()


def told(page: Any, text: str) -> Any:
    notice = page.locator(".notice.on", has_text=text)
    notice.wait_for()
    return notice


def test_people_are_named_merged_and_hidden_and_that_is_taken_back(
    page: Any, server: Served
) -> None:
    page.get_by_role("tab", name="Browse").click()
    shows(page, "#place-browse", "month")
    press(page, "People")
    stranger = page.locator(".stranger")
    stranger.wait_for()
    assert cards(page) == [
        "Anna 4 photos", "Tom 3 photos", "Ben 2 photos", "Annie 1 photo", "Zoë Family · 1 photo",
        "Who is this? 2 photos",
    ]  # fmt: skip
    settled(page)
    # The face, and not the photo, whose middle has another colour.
    colour = page.locator(".somebody[data-name=Anna] img").evaluate(
        """async (img) => {
            const canvas = new OffscreenCanvas(1, 1).getContext("2d");
            canvas.drawImage(img, img.naturalWidth / 2, img.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        }"""
    )
    assert np.abs(np.subtract(colour[:3], COLOURS["Anna"])).max() < 12
    assert serious_in_both_themes(page) == []

    stranger.get_by_role("button", name="Hide").click()
    told(page, "Hidden from lists").get_by_role("button", name="Undo").click()
    anna = page.locator(".somebody[data-name=Anna]")
    anna.evaluate("card => { card.kept = true; card.focus(); }")
    stranger.get_by_text("Who is this?").click()
    answer(page, "Zoë", "Give a name")
    told(page, "Named Zoë")
    page.locator(".somebody[data-name=Zoë]", has_text="3 photos").wait_for()
    assert stranger.count() == 0
    # Cards of others are the same as before.
    assert anna.evaluate("card => card.kept")
    told(page, "Named Zoë").get_by_role("button", name="Undo").click()
    stranger.wait_for()

    page.locator(".somebody[data-name=Anna]").click()
    at(page, "Anna")
    page.get_by_text("Together with").wait_for()
    assert page.locator(".about-person button").all_inner_texts() == ["Ben\n2", "Tom\n2"]
    assert page.locator("#browse .tile").count() == 4
    press(page, "Rename")
    answer(page, "Tom", "Rename")
    told(page, "Tom is somebody else")
    press(page, "Rename")
    answer(page, "Anna Berger", "Rename")
    at(page, "Anna Berger")
    assert "of=Anna+Berger" in page.url or "of=Anna%20Berger" in page.url
    assert page.locator(".about-person .chip").all_inner_texts() == ["Anna"]
    press(page, "Same person as …")
    # A name with the same word would come first; there is none, so those in most photos do.
    assert page.locator("dialog.chooser .places button").first.inner_text() == "Tom"
    answer(page, "Annie", "Same person")
    at(page, "Annie")
    assert page.locator("#browse .tile").count() == 5
    told(page, "Both are Annie now").get_by_role("button", name="Undo").click()
    assert cards(page)[:2] == ["Anna Berger 4 photos", "Tom 3 photos"]

    page.locator(".somebody[data-name=Annie]").click()
    at(page, "Annie")
    press(page, "Hide")
    at(page, "Annie")
    press(page, "Back")
    assert cards(page)[3] == "Zoë Family · 1 photo"
    page.get_by_label("Show hidden people").check()
    assert "Annie 1 photo" in cards(page)
    page.locator(".somebody[data-name=Annie]").click()
    at(page, "Annie")
    press(page, "Show in lists")
    told(page, "Annie is shown in lists again")

    # One dropped on another is the same person, a group of faces as well.
    press(page, "Back")
    anna = page.locator(".somebody[data-name='Anna Berger']")
    page.locator(".somebody[data-name=Annie]").drag_to(anna)
    anna.filter(has_text="5 photos").wait_for()
    told(page, "Both are Anna Berger now").get_by_role("button", name="Undo").click()
    anna.filter(has_text="4 photos").wait_for()
    stranger.drag_to(page.locator(".somebody[data-name=Zoë]"))
    page.locator(".somebody[data-name=Zoë]", has_text="3 photos").wait_for()
    told(page, "Named Zoë").get_by_role("button", name="Undo").click()
    stranger.wait_for()

    # In a photo each face has a box, and the known ones a name, of which one leads to more.
    page.get_by_role("tab", name="Search").click()
    assert ask(page, "person:anna people>=3") == ["3.jpg"]
    viewer = open_tile(page, "3.jpg")
    faces = viewer.locator(".face")
    names = viewer.locator("dd", has_text="Anna Berger")
    assert " ".join(names.inner_text().split()) == "Anna Berger, Ben, Tom, 1 without a name"
    assert not faces.first.is_visible()
    names.get_by_text("Anna Berger").hover()
    assert [one.is_visible() for one in faces.all()] == [True, False]
    page.keyboard.press("p")
    assert [one.is_visible() for one in faces.all()] == [True, True]
    picture, box = viewer.locator("img.large").bounding_box(), faces.first.bounding_box()
    placed = [
        (box["x"] - picture["x"]) / picture["width"],
        (box["y"] - picture["y"]) / picture["height"],
        box["width"] / picture["width"],
        box["height"] / picture["height"],
    ]
    assert placed == pytest.approx(AREA, abs=0.02)
    # Why it was found names the face, and shows it.
    page.keyboard.press("p")
    why = viewer.locator(".why li", has_text="Anna Berger is in the photo")
    why.get_by_role("button", name="Show the face").click()
    assert [one.is_visible() for one in faces.all()] == [True, False]
    page.keyboard.press("p")
    assert serious_in_both_themes(page) == []
    names.get_by_text("Tom").click()
    assert ask(page, "person:Tom") == ["4.jpg", "3.jpg", "2.jpg"]

    # A name that is more than one person's is asked about.
    assert server.post("/api/people/rename", {"name": "Annie", "new": "Anna Cole"}).status == 200
    assert "1.jpg" in ask(page, "Anna swimming")
    which = page.locator(".chip.which")
    assert which.get_by_role("button").all_inner_texts() == ["Anna Berger", "Anna Cole"]
    which.get_by_role("button", name="Anna Cole").click()
    assert results_of(page, 'person:"Anna Cole" swimming') == ["5.jpg"]
    assert which.count() == 0

    # A face of nobody is named in the photo, and with it those that look like it; by mistake, it
    # turns out.
    assert ask(page, '"4.jpg"') == ["4.jpg"]
    viewer = open_tile(page, "4.jpg")
    viewer.locator(".face").get_by_role("button", name="Who is this?").click()
    answer(page, "Zoë", "Give a name")
    no = viewer.get_by_role("button", name="Not Zoë")
    no.wait_for()
    page.keyboard.press("Escape")
    assert ask(page, "person:Zoë") == ["6.jpg", "4.jpg", "3.jpg"]
    viewer = open_tile(page, "3.jpg")
    no.click()
    notice = told(page, "Not taken for Zoë any more")
    no.wait_for(state="detached")
    notice.get_by_role("button", name="Undo").click()
    no.wait_for()

    # Of several photos somebody else is made, who can be named in turn.
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    press(page, "People")
    page.locator(".somebody[data-name=Zoë]").click()
    at(page, "Zoë")
    for name in ("3.jpg", "4.jpg"):
        page.locator(f"#browse .tile[title='{name}']").focus()
        page.keyboard.press("x")
    page.get_by_role("button", name="Not Zoë").click()
    told(page, "Not taken for Zoë any more")
    page.locator("#browse .tile").nth(1).wait_for(state="detached")
    press(page, "Back")
    page.locator(".stranger", has_text="2 photos").wait_for()


def test_who_points_at_somebody_keeps_that_while_people_come(
    browser: Any, tmp_path: Path, tiny_bundle: Path
) -> None:
    with (
        served_here(make_library(tmp_path, tiny_bundle), tiny_bundle) as server,
        watched_page(browser, server, address="?browse=person") as page,
    ):
        anna, zoe, annie = (
            page.locator(f".somebody[data-name={name}]") for name in ("Anna", "Zoë", "Annie")
        )
        stranger = page.locator(".stranger")
        stranger.wait_for()
        server.post("/api/people/hide", {"name": "Ben", "hidden": True})
        reload(page)
        stranger.wait_for()

        def found(name: str | None) -> None:
            """As if faces had been looked for meanwhile: the page is told that there are others."""
            server.post("/api/faces/name", {"group": 1, "name": name})
            page.get_by_label("Show hidden people").dispatch_event("change")

        anna.focus()
        found("Zoë")
        zoe.filter(has_text="3 photos").wait_for()
        stranger.wait_for(state="detached")
        assert anna.evaluate("card => card === document.activeElement")

        found(None)
        stranger.wait_for()
        # Nothing moves under somebody who drags; who comes meanwhile comes when that is done.

        def drag_while_found(name: str | None) -> None:
            annie.hover()
            page.mouse.down()
            anna.hover()
            anna.hover()
            page.locator(".dragged").wait_for()
            before = stranger.count()
            with page.expect_response("**/api/faces/groups"):
                found(name)
            page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")
            assert (stranger.count(), page.locator(".dragged").count()) == (before, 1)

        drag_while_found("Zoë")
        page.mouse.move(5, 5)
        page.mouse.up()
        stranger.wait_for(state="detached")
        drag_while_found(None)
        anna.hover()
        page.mouse.up()
        anna.filter(has_text="5 photos").wait_for()
        told(page, "Both are Anna now")
        stranger.wait_for()
        found("Zoë")
        zoe.filter(has_text="3 photos").wait_for()

        # What could not be done leaves the photos selected.
        zoe.click()
        at(page, "Zoë")
        for name in ("3.jpg", "4.jpg"):
            page.locator(f"#browse .tile[title='{name}']").focus()
            page.keyboard.press("x")
        server.post("/api/faces/name", {"group": 1, "name": None})
        no = page.get_by_role("button", name="Not Zoë")
        no.click()
        told(page, "these photos have no face that is Zoë's")
        bar = page.get_by_role("region", name="Selected photos")
        assert bar.get_by_role("status").inner_text().startswith("2 ")
        server.post("/api/faces/name", {"group": 1, "name": "Zoë"})
        no.click()
        told(page, "Not taken for Zoë any more")
        bar.wait_for(state="hidden")


def test_faces_are_looked_for_when_switched_on_held_and_forgotten(
    browser: Any, tmp_path: Path, tiny_bundle: Path, pictures: Path
) -> None:
    (tmp_path / "photos").mkdir()
    with Image.open(pictures / "astronaut.png") as image:
        for side in (300, 420):
            image.convert("RGB").resize((side, side)).save(tmp_path / "photos" / f"{side}.jpg")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        list(library.index([tmp_path / "photos"], workers=1))
    with (
        served_here(tmp_path / "library", tiny_bundle) as server,
        watched_page(browser, server, address="?browse=person") as page,
    ):
        card = page.locator("#browse .face-switch")
        switch = card.get_by_label("Look for faces in my photos")
        assert not switch.is_checked()
        assert card.get_by_text("Only this machine sees it.").is_visible()
        assert not card.get_by_role("button").first.is_visible()
        server.post("/api/faces/hold", {"on": True})
        switch.check()
        # Held before it was switched on, it has not begun.
        card.get_by_text("paused").wait_for()
        card.get_by_role("button", name="Resume").click()
        card.get_by_text("2 of 2 photos looked at; 2 faces, 0 with a name").wait_for(
            timeout=120_000
        )
        stranger = page.locator(".stranger")
        stranger.wait_for()
        assert serious_in_both_themes(page) == []
        card.get_by_role("button", name="Forget all faces").click()
        dialog = page.locator("dialog.chooser")
        dialog.get_by_label("I’m sure").check()
        dialog.get_by_role("button", name="Forget all faces").click()
        told(page, "2 faces forgotten")
        stranger.wait_for(state="detached")
        assert not switch.is_checked()
        assert server.ask("/api/faces").json["seen"] == 0


def test_whether_it_is_the_same_person_is_asked_answered_and_taken_back(
    browser: Any, tmp_path: Path, tiny_bundle: Path
) -> None:
    library = make_library(tmp_path, tiny_bundle)
    eyes = np.zeros((5, 2), np.float32)
    near = [np.ones(128, np.float32) + 0.5 * np.eye(128, dtype=np.float32)[at] for at in (0, 1)]
    first, second = (FoundFace((0.1, 0.1, 0.1, 0.15), eyes, 0.9, 60, 20, one) for one in near)
    with Catalogue.open(library) as catalogue:
        # Beside the group of two of `make_library`: one of one photo, and one of another.
        base = FoundFace((0.1, 0.1, 0.1, 0.15), eyes, 0.9, 60, 20, np.ones(128, np.float32))
        catalogue.faces.forget()
        catalogue.faces.put(MODEL, {4: [base], 5: [base], 6: [first], 7: [second]})
        catalogue.faces.assign({1: -1, 2: -1, 3: -2, 4: -3})
        catalogue.faces.name(3, "Tom")
    with (
        served_here(library, tiny_bundle) as server,
        watched_page(browser, server, address="?browse=person") as page,
    ):
        card = page.locator(".same-person")
        card.get_by_text("Is this Tom?").wait_for()
        assert " ".join(card.inner_text().split()).startswith(
            "Is this Tom? 2 questions Tom2 photos"
        )
        assert page.locator(".stranger").count() == 2
        assert serious_in_both_themes(page) == []
        late: list[tuple[Any, Any]] = []
        page.route("**/api/faces/question", lambda route: late.append((route, route.fetch())))
        card.get_by_role("button", name="Yes").click()
        told(page, "The same person")
        page.locator(".stranger").nth(1).wait_for(state="detached")
        card.get_by_text("1 question").wait_for()
        while not late:
            page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")
        told(page, "The same person").get_by_role("button", name="Undo").click()
        card.get_by_text("2 questions").wait_for()
        # What was asked before that was answered, and comes only now, is passed over.
        route, answered = late[0]
        assert answered.json()["count"] == 1
        route.fulfill(response=answered)
        page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")
        assert "2 questions" in card.inner_text()
        for route, answered in late[1:]:
            route.fulfill(response=answered)
        page.unroute("**/api/faces/question")
        page.locator(".stranger").nth(1).wait_for()
        # By the keyboard, without a word about it.
        card.get_by_role("button", name="No", exact=True).focus()
        page.keyboard.down("n")
        told(page, "Two people")
        card.get_by_text("1 question").wait_for()
        # As long as the key is held, nothing more is answered.
        page.keyboard.down("n")
        page.keyboard.up("n")
        page.keyboard.press("u")
        told(page, "Not asked again")
        card.wait_for(state="hidden")


def test_what_is_no_face_is_refused(server: Served) -> None:
    for area in ("", "1,2", "0,0,0,0", "nan,0,1,1", "a,b,c,d"):
        refused = server.ask(f"/api/photo/1/face?area={area}")
        assert refused.status == 400
        assert "is no area; give left, top, width, height" in refused.body.decode()
    # A thousand photos may have several faces each that were taken for one person.
    assert server.post("/api/faces/accept", {"faces": [[10**6, 1]] * 1500}).status == 200
    picture = server.ask("/api/photo/1/face?area=0.95,0,0.05,0.9")
    with Image.open(io.BytesIO(picture.body)) as image:
        assert image.width == image.height <= 256
