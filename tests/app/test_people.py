"""Who is in the photos: found by any name, counted, and what is said of people in the library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shell import Shell, message

from index import Catalogue, FileStamp, Metadata, NewPhoto, Region
from photosearch import Filters, Library, Person, QueryError, UsageError
from photosearch.search.report import report

FACE = (0.1, 0.2, 0.3, 0.4)
# By the number of the photo, from 1 on: who is named, keywords beside these, and faces.
PHOTOS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[Region, ...]], ...] = (
    (("Anna",), (), (Region("Anna", *FACE),)),
    (("anna", "Ben"), ("People|Family|Ben",), (Region("anna", *FACE), Region("", *FACE))),
    (("Ben Maier",), ("People|Family",), ()),
    ((), ("Personen/Familie/Großeltern/Zoë", "People|Unknown", "beach"), ()),
    ((), ("beach",), (Region("", *FACE),) * 3),
    ((), (), ()),
    (("Rose",), (), ()),
)


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Catalogue.open(tmp_path / "library") as catalogue:
        made = [
            NewPhoto(
                f"/photos/{number}.jpg",
                FileStamp(1, number),
                400,
                300,
                "JPEG",
                bytes([number] * 32),
                Metadata(
                    taken_at=f"2020-01-0{number}",
                    people=people,
                    keywords=(*words, *people),
                    regions=regions,
                ),
            )
            for number, (people, words, regions) in enumerate(PHOTOS, 1)
        ]
        catalogue.record("none", made, np.ones((len(made), 2), np.float32))
    with Library.open(tmp_path / "library", model=tiny_bundle) as opened:
        yield opened


def found(library: Library, text: str) -> list[int]:
    conditions = library.understand(text).conditions
    return list(library._catalogue.selection.ids(conditions))


def counts(library: Library) -> dict[str, int]:
    return {one.name: one.count for one in library.people.all()}


def test_who_is_in_photos(library: Library) -> None:
    assert library.people.all() == [
        Person("Anna", 2, 1, ("Anna",), area=FACE),
        Person("Ben", 1, 2, ("Ben",), ("Family",)),
        Person("Ben Maier", 1, 3, ("Ben Maier",)),
        Person("Rose", 1, 7, ("Rose",)),
        Person("Zoë", 1, 4, ("Zoë",), ("Familie", "Großeltern")),
    ]
    assert [one.id for one in library.people.photos("anna")] == [2, 1]
    assert library.people.together("Anna") == [("Ben", 1)]
    seen = library.photos.about(2).people
    assert [(one.name, one.area) for one in seen] == [("Anna", FACE), ("Ben", None), ("", FACE)]


FOUND = {
    "person:anna": [1, 2],
    "person:Ben": [2],
    "person:maier": [3],
    # A group, of one language or another.
    "person:Family": [2],
    "person:grosseltern": [4],
    "person:Anna person:Ben": [2],
    "person:Anna -Ben": [1],
    "person:Anna -person:Ben": [1],
    '-"Ben Maier" people:1': [1, 4, 7],
    "people:0": [6],
    "people:2": [2],
    "people>=2": [2, 5],
    "people:2..3": [2, 5],
    "people<1": [6],
    "people<=1": [1, 3, 4, 6, 7],
    "-people:0": [1, 2, 3, 4, 5, 7],
    "people:Anna": [1, 2],
    # A rose may be meant, and Rose.
    "people:1 -rose": [1, 3, 4, 7],
    "people:1 -Rose": [1, 3, 4],
    "people:1 without Zoe": [1, 3, 7],
}


def test_people_are_found(library: Library) -> None:
    assert {text: found(library, text) for text in FOUND} == FOUND


def test_what_is_no_number_of_people(library: Library) -> None:
    with pytest.raises(QueryError, match=r"'2x' is no number of people; write it as people:2"):
        library.understand("people:2x")
    with pytest.raises(QueryError, match="no photo has less than 0 people"):
        library.understand("people<0")
    with pytest.raises(UsageError, match="people: '2x' is no number of people"):
        library.search(filters=Filters(people="2x"))


def test_facets_count_people(library: Library) -> None:
    (facet,) = library.photos.facets(of=["count"])
    assert [(one.filter, one.count) for one in facet.choices] == [
        *(("people:0", 1), ("people:1", 4), ("people:2", 1), ("people>=3", 1))
    ]


def test_a_new_name_finds_them_and_so_does_the_old_one(library: Library) -> None:
    edit = library.people.rename("anna", "Anna  Berger")
    assert library.people.get("Anna") == Person(
        "Anna Berger", 2, 1, ("Anna Berger", "Anna"), area=FACE
    )
    assert found(library, "person:Anna") == found(library, 'person:"anna berger"') == [1, 2]
    assert [one.name for one in library.photos.about(1).people] == ["Anna Berger"]
    assert library.photos.about(1).metadata.people == ("Anna",)
    with pytest.raises(UsageError, match="Ben is somebody else; to make both one, merge them"):
        library.people.rename("Anna", "BEN")
    again = library.people.undo(edit)
    assert library.people.get("Anna").names == ("Anna",)
    library.people.undo(again)
    assert library.people.get("Anna").name == "Anna Berger"


def test_people_who_are_the_same_are_one(library: Library) -> None:
    library.people.rename("Ben Maier", "Benjamin")
    edit = library.people.merge(["Ben Maier", "Rose"], "Ben")
    assert library.people.get("rose") == Person(
        "Ben", 3, 7, ("Ben", "Ben Maier", "Benjamin", "Rose"), ("Family",)
    )
    assert found(library, "person:benjamin") == [2, 3, 7]
    assert found(library, "people:1") == [1, 3, 4, 7]
    library.people.split("Ben", "Rose")
    assert counts(library) == {"Ben": 2, "Anna": 2, "Rose": 1, "Zoë": 1}
    for text, error in (("Ben", "is shown by that name"), ("Zoë", "is not called Zoë, but Ben")):
        with pytest.raises(UsageError, match=error):
            library.people.split("Ben", text)
    with pytest.raises(UsageError, match="Ben is only one already"):
        library.people.merge(["ben", "Benjamin"], "Ben")
    library.people.undo(edit)
    assert counts(library) == {"Anna": 2, "Ben": 1, "Benjamin": 1, "Rose": 1, "Zoë": 1}


def test_other_names_groups_and_who_is_hidden(library: Library) -> None:
    library.people.add_names("Zoë", ["Grandma", "Oma"])
    assert found(library, "person:grandma") == [4]
    with pytest.raises(UsageError, match="Anna is somebody else"):
        library.people.add_names("Ben", ["anna"])
    library.people.group(["Anna", "Zoë"], "Friends|School")
    assert found(library, "person:friends") == [1, 2, 4]
    library.people.group(["Zoë"], "")
    assert library.people.get("Zoë").above == ()
    library.people.group(["Zoë"], None)
    assert library.people.get("oma").above == ("Familie", "Großeltern")
    library.people.hide(["Ben", "Anna"])
    assert [one.name for one in library.people.all() if one.hidden] == ["Anna", "Ben"]
    assert library.people.together("Anna") == []
    assert found(library, "person:ben") == [2]
    for name in ("Ben", "Anna", "Zoë"):
        library.people.reset(name)
    assert len(library._catalogue.own_people.all()) == 0


def test_names_of_nobody_and_names_that_cannot_be_kept(library: Library) -> None:
    for name, error in (
        ("", "nobody in this library is called ; see"),
        ("Bern", "nobody in this library is called Bern; did you mean Ben"),
        ("Maier", r"did you mean Ben Maier\?"),
    ):
        with pytest.raises(UsageError, match=error):
            library.people.get(name)
    for name in ("", "  ", "..", "a|b", 'a"b', "a\x07b", "a" * 201):
        with pytest.raises(UsageError, match="the name"):
            library.people.rename("Anna", name)
    assert library.people.get("Anna").names == ("Anna",)


def test_a_person_who_is_taken_off_a_photo_is_not_in_it(library: Library) -> None:
    library.marks.tag([1], remove=["Anna"])
    library.marks.tag([6], add=["People|Anna"])
    assert found(library, "person:anna") == [2, 6]
    library.marks.clear_keywords([1, 6])
    assert found(library, "person:anna") == [1, 2]


def test_names_in_a_description_are_people(library: Library) -> None:
    library.people.add_names("Zoë", ["Grandma"])
    query = library.understand("Grandma on a swing -Anna")
    assert [(part.kind, part.name, part.meaning) for part in query.parts] == [
        ("like", "text", "Grandma on a swing"),
        ("fact", "person", "Grandma"),
        ("filter", "person", "not person Anna"),
    ]
    assert [one.label for one in library.suggest("gran") if one.kind == "person"] == ["Zoë"]


def readings(library: Library, text: str) -> list[tuple[str, str, str]]:
    parts = library.understand(text).parts
    return [(one.kind, one.name, one.filter) for part in parts for one in part.readings]


def test_a_name_that_may_mean_several_is_asked_about(library: Library, shell: Shell) -> None:
    library.marks.tag([3], add=["People|Anna Cole", "People|Jean Cole"])
    both = [("person", "Anna", "person:Anna"), ("person", "Anna Cole", 'person:"Anna Cole"')]
    assert readings(library, "Anna on a beach") == both
    # Each reading, in the place of the words, means itself alone.
    assert readings(library, 'person:"Anna Cole" on a beach') == []
    assert found(library, 'person:"Anna Cole"') == [3]
    # By filter it is the one of exactly this name; where there is none, it may be several, too.
    assert readings(library, "person:anna") == []
    assert [name for _, name, _ in readings(library, "person:cole")] == ["Anna Cole", "Jean Cole"]
    # A name that is a word of English as well, but not where it is written as a name.
    assert readings(library, "a rose in a vase") == [
        ("person", "Rose", "person:Rose"),
        ("look", "rose", "\\rose"),
    ]
    assert readings(library, "Rose in a garden") == []
    assert [part.kind for part in library.understand("a \\rose in a vase").parts].count("fact") == 0
    library.albums.create("Ben")
    assert {kind for kind, *_ in readings(library, "Ben at work")} == {"person", "album"}
    library.people.hide(["Anna Cole"])
    assert readings(library, "Anna on a beach") == []
    library.people.hide(["Anna Cole"], hidden=False)
    said = shell("search", "Anna on a beach").stderr
    assert b'"Anna" may mean several: type person:Anna, person:"Anna Cole"' in said
    told = report(library.search("Anna on a beach"))["understood"]
    (asked,) = [part["readings"] for part in told if "readings" in part]
    assert asked[1] == {"kind": "person", "name": "Anna Cole", "filter": 'person:"Anna Cole"'}


@pytest.mark.slow
def test_the_command(library: Library, shell: Shell) -> None:
    def said(*arguments: str) -> str:
        done = shell("people", *arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode()

    assert said("list").splitlines()[:2] == ["Anna: 2 photos", "Family > Ben: 1 photo"]
    assert said("rename", "anna", "Anna Berger") == "Anna Berger: 2 photos; also Anna\n"
    merged = json.loads(said("merge", "Ben Maier", "--into", "Ben", "--json"))
    assert merged["version"] == 1
    assert merged["people"][0]["names"] == ["Ben", "Ben Maier"]
    assert said("split", "Ben", "Ben Maier") == "Family > Ben: 1 photo\n"
    assert "Grandma" in said("alias", "zoë", "Grandma")
    assert said("group", "Anna", "--in", "Friends").startswith("Friends > Anna")
    assert said("group", "Anna", "--none").startswith("Anna Berger: 2")
    assert said("hide", "Rose", "Ben").count("hidden") == 2
    assert "Rose" not in said("list")
    assert "Rose: 1 photo; hidden" in said("list", "--all")
    assert said("show", "Rose") == "Rose: 1 photo\n"
    assert said("reset", "Anna") == "Anna: 2 photos\n"
    refused = message(shell("people", "rename", "Anton", "x"), 2)
    assert "nobody in this library is called Anton" in refused
    known = json.loads(shell("show", "2", "--json").stdout)
    assert known["people"] == ["anna", "Ben"]
    assert known["persons"][0] == {"name": "Anna", "area": list(FACE), "found": False, "face": None}
