"""Counts of what can be chosen, beside what a search for each choice then finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_library import Known, make_library

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from index.catalogue.conditions import Every, InPlace
from photosearch import Library, UsageError
from photosearch.search.facet_choices import same
from photosearch.search.facets import FACETS, Choice, Facet, FacetName
from photosearch.search.filters import World as Asked
from photosearch.search.filters import in_place

pytestmark = pytest.mark.slow

PEOPLE = ((), ("Anna Berger",), ("Anna Berger", "Ida"), ("Ida",), ("anna berger",))


class World:
    def __init__(self, library: Library, known: list[Known]) -> None:
        self.library, self.known = library, known

    def facet(self, name: FacetName, text: str = "", within: str = "") -> Facet:
        (found,) = self.library.photos.facets(text, [name], within=within)
        return found

    def counts(self, name: FacetName, text: str = "", within: str = "") -> dict[str, int]:
        return {one.value: one.count for one in self.facet(name, text, within).choices}

    def total(self, text: str) -> int:
        return self.library.search(text, limit=1).total


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> tuple[Path, list[Known]]:
    """The known library, with people, albums, favourites, places of one name, and texts."""
    place = tmp_path_factory.mktemp("faceted") / "library"
    encoder, known = make_library(place, tiny_bundle)
    with Catalogue.open(place) as catalogue:
        changed = []
        for number, each in enumerate(known):
            people = PEOPLE[number % len(PEOPLE)]
            metadata = replace(
                each.metadata,
                people=people,
                keywords=(*each.metadata.keywords, *people, *(("People|Zoë",) * (number % 9 == 0))),
                camera="Pixel 7 Pro" if number % 17 == 0 else each.metadata.camera,
                place=Place("Rome", "Georgia", "United States")
                if number % 19 == 0
                else each.metadata.place,
            )
            known[number] = replace(each, metadata=metadata)
            changed.append(
                NewPhoto(
                    each.path,
                    FileStamp(1000 + number, number) if number % 3 else FileStamp(2 * 10**7, 1),
                    each.width * (number % 30 + 1),
                    each.height * (number % 30 + 1),
                    each.format,
                    number.to_bytes(32, "big"),
                    metadata,
                )
            )
        catalogue.record(encoder.bundle_id, changed, np.stack([one.vector for one in known]))
        ids = catalogue.selection.ids(()).tolist()
        shelves = catalogue.shelves
        shelves.put_into(ids[::4])
        for name, some in (("Holiday", ids[::5]), ('12" prints', ids[:3]), ("Ünïcode", ids[:9])):
            shelves.put_into(some, shelves.make_album(name))
        catalogue.readings.put({ids[0]: "EXIT", ids[1]: ""})
    return place, known


@pytest.fixture(scope="module")
def world(folder: tuple[Path, list[Known]], tiny_bundle: Path) -> Iterator[World]:
    place, known = folder
    with Library.open(place, model=tiny_bundle) as library:
        yield World(library, known)


def tally(known: list[Known], of: Callable[[Known], object]) -> dict[str, int]:
    return {str(key): count for key, count in Counter(map(of, known)).items() if key}


@pytest.mark.parametrize(
    ("name", "within", "of"),
    [
        ("date", "", lambda it: (it.metadata.taken_at or "")[:4]),
        ("camera", "", lambda it: it.metadata.camera),
        ("format", "", lambda it: it.format.lower()),
        ("kind", "", lambda it: "video" if it.format == "VIDEO" else "photo"),
    ],
)
def test_counts_are_those_of_counting_by_hand(
    world: World, name: FacetName, within: str, of: Callable[[Known], object]
) -> None:
    assert world.counts(name) == tally(world.known, of)
    landscape = [one for one in world.known if one.width > one.height]
    assert world.counts(name, "is:landscape") == tally(landscape, of)


def test_a_year_has_its_months_and_a_month_its_days(world: World) -> None:
    taken = [one.metadata.taken_at or "" for one in world.known]
    months = Counter(day[:7] for day in taken if day.startswith("2020"))
    assert world.counts("date", within="2020") == dict(sorted(months.items()))
    days = Counter(day[:10] for day in taken if day.startswith("2020-05"))
    assert world.counts("date", within="2020-05") == dict(sorted(days.items()))


def choices(world: World, name: FacetName, text: str) -> list[Choice]:
    withins = ("", "2020", "2020-05") if name == "date" else ("",)
    return [one for within in withins for one in world.facet(name, text, within).choices]


@pytest.mark.parametrize("text", ["", "is:landscape -camera:canon since:2019", "in May"])
@pytest.mark.parametrize("name", FACETS)
def test_each_count_is_what_is_found_when_it_is_chosen(
    world: World, name: FacetName, text: str
) -> None:
    found = choices(world, name, text)
    facet = world.facet(name, text)
    left = text
    # Beside others of its facet it would be counted with them.
    for start, end in sorted(facet.parts if facet.together != "all" else (), reverse=True):
        left = left[:start] + left[end:]
    assert found or (name == "text" and text)
    for one in found:
        assert world.total(f"{left} {one.filter}") == one.count, one


@pytest.mark.parametrize("name", FACETS)
def test_a_choice_that_stands_in_the_box_is_known_there(world: World, name: FacetName) -> None:
    for one in choices(world, name, ""):
        (condition,) = world.library.understand(one.filter).conditions
        (part,) = world.library.understand(one.filter).parts
        assert same(part.condition, condition)
        again = [
            other
            for other in choices(world, name, f"a cat {one.filter}")
            if other.filter == one.filter
        ]
        assert [other.parts for other in again] == [((6, 6 + len(one.filter)),)], one


def test_choices_of_one_facet_widen_and_people_narrow(world: World) -> None:
    everyone = world.counts("camera")
    assert world.counts("camera", 'camera:"Pixel 7"') == everyone
    assert everyone["Pixel 7 Pro"]
    both = sum(set(one.metadata.people) == {"Anna Berger", "Ida"} for one in world.known)
    assert world.counts("person", "person:ida")["Anna Berger"] == both
    assert world.counts("person", "person:ida")["Ida"] == world.counts("person")["Ida"]
    # What is ruled out stays so.
    assert "Canon EOS R6" not in world.counts("camera", "-camera:canon")


def test_what_would_narrow_a_choice_gives_way_to_it(world: World) -> None:
    def replaces(name: FacetName, text: str, value: str, within: str = "") -> list[str]:
        (one,) = [it for it in world.facet(name, text, within).choices if it.value == value]
        return [text[start:end] for start, end in one.replaces]

    assert replaces("date", "year:2020 since:2019", "2021") == ["since:2019"]
    assert replaces("date", "year:2020 on:2020-03", "2020-05", "2020") == ["year:2020"]
    assert replaces("date", "cats in 2020", "2021") == ["in 2020"]
    assert replaces("rating", "rating>=2 type:raw", "4") == ["rating>=2"]
    assert replaces("kind", "is:video is:square", "photo") == ["is:video"]
    assert replaces("shape", "is:video is:square", "portrait") == []
    assert replaces("place", "near:Rome,10km in:Ostia", "Italy") == ["near:Rome,10km"]


def test_a_description_has_the_counts_of_what_it_finds(world: World) -> None:
    # The model is not calibrated: everything is found.
    assert world.counts("camera", "a cat") == world.counts("camera")


def test_names_that_cannot_be_typed_are_no_choice(world: World) -> None:
    assert set(world.counts("album")) == {"Holiday", "Ünïcode"}


def test_places_of_one_name_are_told_apart(world: World) -> None:
    typed = {(one.value, one.under): one.filter for one in world.facet("place").choices}
    assert typed["Rome", "Italy"] == 'in:"Rome, Italy"'
    assert typed["Ostia", "Italy"] == "in:Ostia"
    assert next(iter(typed.keys()))[1] == ""


def test_places_with_larger_ones_widen_each_other(world: World) -> None:
    places = world.facet("place").choices
    rome = [one for one in places if one.value == "Rome"]
    assert len(rome) == 2
    both = " ".join(one.filter for one in rome)
    assert world.total(both) == sum(one.count for one in rome) == world.total("in:rome")
    assert all(one.parts for one in world.facet("place", both).choices if one.value == "Rome")


def test_a_larger_place_may_have_a_comma_in_its_name() -> None:
    tanzania = "Tanzania, United Republic of"
    world = Asked(places=frozenset({"mugumu", "tanzania united republic of"}))
    assert in_place(tanzania, world) == InPlace(tanzania)
    assert in_place(f"Mugumu, {tanzania}", world) == Every((InPlace("Mugumu"), InPlace(tanzania)))
    assert in_place("Mugumu, Mara, Tanzania", world) == Every(
        (InPlace("Mugumu"), InPlace("Mara"), InPlace("Tanzania"))
    )


def test_what_is_known_changes_with_the_library(tmp_path: Path, tiny_bundle: Path) -> None:
    with Catalogue.open(tmp_path / "library") as catalogue:
        photo = NewPhoto("/a/b.jpg", FileStamp(1, 1), 4, 3, "JPEG", b"1" * 32)
        catalogue.record("other", [photo], np.ones((1, 4), np.float16))
        with Library.open(tmp_path / "library", model=tiny_bundle) as library:
            photos = library.photos
            assert photos.known_facets() == ["kind", "shape", "format", "folder", "size"]
            assert photos.facets("", ["person"])[0].choices == ()
            catalogue.record(
                "other",
                [replace(photo, metadata=Metadata(people=("Ida",), keywords=("Ida",)))],
                np.ones((1, 4), np.float16),
            )
            assert "person" in photos.known_facets()
            assert photos.facets("", ["person"])[0].choices[0].filter == "person:Ida"


def test_what_is_no_facet_is_named(world: World) -> None:
    with pytest.raises(UsageError, match="'colour' is no facet; there are date, "):
        world.library.photos.facets("", ["colour"])  # type: ignore[list-item]
