"""What the words of a description name, and how that is joined with what photos look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from known_library import Known, make_library

from index.catalogue.albums import Album
from index.catalogue.conditions import (
    Condition,
    Either,
    InAlbum,
    InFolder,
    InPlace,
    Made,
    Showing,
    Tagged,
)
from index.catalogue.naming import Names
from index.catalogue.people import KnownPerson
from index.catalogue.records import Place
from photosearch import Library
from photosearch.search.dates import Locale
from photosearch.search.facts import facts_in
from photosearch.search.filters import World
from photosearch.search.fused import where_known
from photosearch.search.lexicon import Lexicon
from photosearch.search.parse import parse
from photosearch.search.query import Described, Fact

NAMES = Names(
    cameras=("Canon EOS R6", "NIKON Z 6"),
    keywords=frozenset({"tram", "Anna Berger", "People|Ida", "Ida", "People", "Zoë"}),
    people=(KnownPerson("Anna Berger", ("Anna Berger",)), KnownPerson("Ida", ("Ida",))),
    albums=(Album(7, "Hat"), Album(8, "Best of 2022")),
    formats=frozenset({"JPEG", "VIDEO"}),
    folders=("/photos/2019 Holiday in Lisbon", "/photos/Rome", "/photos/Rome/raw"),
    roots=("/photos",),
    words=frozenset({"boarding", "pass", "wifi", "router"}),
    texts=False,
)
WORLD = World(
    today=date(2024, 7, 10),
    places=frozenset({"rome", "italy", "new york", "nice"}),
    called=lambda name: (Place("Rome", "Latium", "Italy"),) if name.lower() == "rom" else (),
    locale=Locale(),
    lexicon=Lexicon(NAMES),
    met=lambda condition: True,
)


def named(text: str, world: World = WORLD) -> list[tuple[str, str]]:
    return [(fact.kind, fact.words) for fact in facts_in(text, 0, len(text), world)]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Rome", [("place", "Rome")]),
        ("rom", [("place", "rom")]),
        ("new york at night", [("place", "new york")]),
        ("Anna and ida", [("person", "Anna"), ("person", "ida")]),
        ("zoe", [("keyword", "zoe")]),
        ("canon eos", [("camera", "canon eos")]),
        ("a tram", [("keyword", "tram")]),
        ("holiday in lisbon", [("folder", "holiday in lisbon")]),
        ("holiday", [("folder", "holiday")]),
        ("best of 2022!", [("album", "best of 2022")]),
        ("a video of dogs", [("form", "video")]),
        ("my boarding pass", [("words", "boarding pass")]),
        ("routers", [("words", "routers")]),
        ("img_2041", [("words", "img_2041")]),
        ("summer", [("date", "summer")]),
        ("forest in winter", []),
        ("photos of the in 6", []),
        ("photos", []),
        ("dogs on a beach", []),
    ],
)
def test_words_name_what_the_library_has(text: str, facts: list[tuple[str, str]]) -> None:
    assert named(text) == facts


def test_nothing_is_named_where_no_photo_has_it() -> None:
    world = World(lexicon=Lexicon(NAMES), met=lambda condition: False)
    assert named("IMG_2041 boarding pass Rom summer", world) == []
    assert named("Rome and Anna", World()) == []


def test_a_phrase_that_names_several_things_is_any_of_them() -> None:
    (fact,) = facts_in("Rome", 0, 4, WORLD)
    assert fact.condition == Either((InFolder("/photos/Rome"), InPlace("Rome")))
    assert (fact.kind, fact.filter, fact.certain) == ("place", "in:Rome", True)


@pytest.mark.parametrize(
    ("text", "condition", "asks"),
    [
        ("Anna", Showing("Anna Berger"), "person:anna"),
        ("anna berger", Showing("Anna Berger"), 'person:"Anna Berger"'),
        ("hat", InAlbum(7), "album:Hat"),
        ("EOS", Made("camera", "Canon EOS R6"), "camera:eos"),
    ],
)
def test_a_fact_has_its_condition_and_filter(text: str, condition: Condition, asks: str) -> None:
    (fact,) = facts_in(text, 0, len(text), WORLD)
    assert (fact.condition, fact.filter) == (condition, asks)


def test_ordinary_words_in_small_letters_are_doubtful() -> None:
    certain = {
        text: facts_in(text, 0, len(text), WORLD)[0].certain
        for text in ("nice", "Nice", "hat", "Hat", "new york", "zoe", "IMG_2041")
    }
    assert certain == {
        "nice": False, "Nice": True, "hat": False, "Hat": True,
        "new york": True, "zoe": True, "IMG_2041": True,
    }  # fmt: skip


def test_the_folder_that_all_photos_are_in_names_nothing() -> None:
    assert "photos" not in {part for part, _ in _phrases(NAMES)}
    assert named("photos") == []


def _phrases(names: Names) -> list[tuple[str, Any]]:
    lexicon = Lexicon(names)
    return [(word, lexicon.named(word)) for word in ("photos", "raw") if lexicon.named(word)]


def test_facts_stay_a_part_of_the_description() -> None:
    query = parse("a sunset with Anna Berger -dogs", WORLD)
    assert [term.content.text for term in query.terms] == ["a sunset with Anna Berger", "dogs"]
    assert [term.content.text for term in query.rest] == ["sunset", "dogs"]
    (part,) = (part for part in query.parts if part.kind == "fact")
    assert query.text[part.start : part.end] == "Anna Berger"
    assert (part.name, part.filter) == ("person", 'person:"Anna Berger"')


def test_facts_stand_where_they_were_typed() -> None:
    text = "Zoe\u0308 \u2013 Rome"
    query = parse(text, WORLD)
    parts = [part for part in query.parts if part.kind == "fact"]
    assert [text[one.start : one.end] for one in parts] == ["Zoe\u0308", "Rome"]
    assert [text[one.start : one.end] for one in query.facts] == ["Zoe\u0308", "Rome"]


@pytest.mark.parametrize("text", ["\\Rome", "2:Rome", "-Rome", "without Rome", '"Rome"', "de:Rom"])
def test_words_that_are_asked_for_otherwise_name_nothing(text: str) -> None:
    assert parse(text, WORLD).facts == ()
    assert parse("Rome", WORLD, literal=True).facts == ()


def test_nothing_rests_of_small_words() -> None:
    assert parse("photos of Rome", WORLD).rest == ()
    assert [term.content for term in parse("Rome cats", WORLD).rest] == [Described("cats")]
    assert parse("dogs on a beach", WORLD).rest == ()


def _fact(kind: str, *, certain: bool) -> Fact:
    return Fact(0, 1, kind, "x", Tagged("x"), certain)


@pytest.mark.parametrize(
    ("facts", "alone", "comes"),
    [
        ([("place", True)], True, "ahead"),
        ([("place", True)], False, "beside"),
        ([("person", True)], False, "ahead"),
        ([("words", True)], False, "ahead"),
        ([("place", False)], True, "beside"),
        ([("place", False)], False, "behind"),
        ([("place", True), ("album", False)], True, "beside"),
    ],
)
def test_where_what_is_known_comes(facts: list[tuple[str, bool]], alone: bool, comes: str) -> None:
    several = [_fact(kind, certain=certain) for kind, certain in facts]
    assert where_known(several, alone=alone) == comes


# Photos with random vectors, of which everything is known, and a model without calibration


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path
) -> Iterator[tuple[Library, list[Known]]]:
    folder = tmp_path_factory.mktemp("facts")
    _, known = make_library(folder, tiny_bundle, 200)
    with Library.open(folder, model=tiny_bundle) as library:
        yield library, known


def _is(known: list[Known], holds: Callable[[Known], bool]) -> set[str]:
    return {each.path for each in known if holds(each)}


def _in(name: str) -> Callable[[Known], bool]:
    return lambda each: each.metadata.place is not None and each.metadata.place.city == name


def test_what_is_named_alone_comes_first_and_newest_first(
    world: tuple[Library, list[Known]],
) -> None:
    library, known = world
    right = _is(known, _in("Rome"))
    found = library.search("Rome", limit=len(known))
    assert {hit.path for hit in found[: len(right)]} == right
    dates = [hit.taken_at for hit in found[: len(right)] if hit.taken_at]
    assert dates == sorted(dates, reverse=True)
    assert found.total == len(known)
    assert len({hit.photo_id for hit in found}) == len(known)
    assert all(hit.score is not None for hit in found)


def test_by_other_names_and_several_at_once(world: tuple[Library, list[Known]]) -> None:
    library, known = world
    right = _is(known, _in("Rome")) | _is(known, _in("Ostia"))
    assert {hit.path for hit in library.search("Italien", limit=len(right))} == right
    both = right & _is(known, lambda each: each.metadata.camera == "Canon EOS R6")
    assert both
    found = library.search("Italien Canon", limit=len(both))
    assert {hit.path for hit in found} == both


def test_where_no_photo_meets_all_those_that_meet_most_come(
    world: tuple[Library, list[Known]],
) -> None:
    library, known = world
    right = _is(known, _in("Rome")) | _is(known, _in("München"))
    found = library.search("Rome München", limit=len(right))
    assert {hit.path for hit in found} == right


def test_filters_hold_for_what_is_named_too(world: tuple[Library, list[Known]]) -> None:
    library, known = world
    right = _is(known, lambda each: _in("Rome")(each) and each.format == "JPEG")
    found = library.search("Rome type:jpeg", limit=200)
    assert {hit.path for hit in found[: len(right)]} == right
    jpegs = _is(known, lambda each: each.format == "JPEG")
    assert {hit.path for hit in found} == jpegs


def test_pages_of_what_is_named_leave_nothing_out(world: tuple[Library, list[Known]]) -> None:
    library, known = world
    whole = [hit.photo_id for hit in library.search("Rome at night", limit=200)]
    parts = [
        hit.photo_id
        for offset in range(0, 200, 30)
        for hit in library.search("Rome at night", limit=30, offset=offset)
    ]
    assert parts == whole
    assert len(whole) == len(known)


def test_without_facts_all_is_as_it_was(world: tuple[Library, list[Known]]) -> None:
    library, _ = world
    assert library.understand("two dogs").facts == ()
    plain = library.search("two dogs", limit=50)
    literal = library.search("two dogs", limit=50, literal=True)
    assert [(hit.photo_id, hit.score) for hit in plain] == [
        (hit.photo_id, hit.score) for hit in literal
    ]


def test_what_comes_into_the_library_can_be_named(tmp_path: Path, tiny_bundle: Path) -> None:
    folder = tmp_path / "library"
    _, known = make_library(folder, tiny_bundle, 20)
    with Library.open(folder, model=tiny_bundle) as library:
        assert library.understand("Besties").facts == ()
        album = library.albums.create("Besties")
        photo = library.search("IMG_0007", limit=1)[0]
        library.albums.add_photos([photo.photo_id], album)
        assert [fact.kind for fact in library.understand("Besties").facts] == ["album"]
        assert library.search("besties", limit=1)[0].path == photo.path == known[7].path
        videos = _is(known, lambda each: each.format == "VIDEO")
        assert {hit.path for hit in library.search("Videos", limit=len(videos))} == videos
