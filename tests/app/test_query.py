"""What is understood of a text: descriptions, what not, weights, photos, and where it fails."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from index.catalogue.conditions import InPlace, Not, OfFormat, Rated, Saying, Taken, TakenInMonth
from photosearch import QueryError, UsageError
from photosearch.search.dates import Locale
from photosearch.search.filters import Filters, World
from photosearch.search.parse import parse
from photosearch.search.query import Described, Given, Pictured, Query

WORLD = World(
    today=date(2024, 7, 10),
    places=frozenset({"rome", "new york", "turkey"}),
    locate=lambda name: (41.9, 12.5) if name == "Rome" else None,
)
GUIDE = Path(__file__).parents[2] / "docs" / "search.md"


def understood(query: Query) -> str:
    return "; ".join(f"{part.kind}: {part.meaning}" for part in query.parts)


def terms(text: str) -> list[tuple[object, float]]:
    contents = [(term.content, term.weight) for term in parse(text, WORLD).terms]
    return [(c.text if isinstance(c, Described) else c, weight) for c, weight in contents]


def test_the_guide_says_what_is_understood() -> None:
    table = GUIDE.read_text(encoding="utf-8").split("## Ten queries")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(.+)` \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) == 10
    assert [understood(parse(text, WORLD)) for text, _ in rows] == [said for _, said in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man-made lake", [("a man-made lake", 1)]),
        ("dogs -cats in snow", [("dogs in snow", 1), ("cats", -1)]),
        ("cats and no dogs", [("cats", 1), ("dogs", -1)]),
        ("woman with no hat in a park", [("woman in a park", 1), ("hat", -1)]),
        ("without people", [("people", -1)]),
        ('-"brick wall" house', [("brick wall", -1), ("house", 1)]),
        ("2:red 0.5:blue sky", [("red", 2), ("blue sky", 0.5)]),
        ("-2:people a street", [("people a street", -2)]),
        ("at 12:30 f/2.8", [("at 12:30 f/2.8", 1)]),
        ("no smoking sign", [("no smoking sign", 1)]),
        (r"\no dogs \-x", [("no dogs -x", 1)]),
        ("photo:3 -image:2", [(Pictured(3), 1), (Given(2), -1)]),
        ('2:photo:"my cat.jpg"', [(Pictured("my cat.jpg"), 2)]),
        ("~/a/cat.JPG in snow", [(Pictured("~/a/cat.JPG"), 1), ("in snow", 1)]),
    ],
)
def test_terms(text: str, expected: list[tuple[object, float]]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        ("en", "Hunde ohne Leine", [("Hunde", 1), ("Leine", -1)]),
        ("de", "Strand ohne Menschen und Autos am Abend",
         [("Strand am Abend", 1), ("Menschen", -1), ("Autos", -1)]),
        ("de", "Wald und keine Häuser", [("Wald", 1), ("Häuser", -1)]),
        ("de", "Frau mit keinem Hut", [("Frau", 1), ("Hut", -1)]),
        ("de", "a beach without people", [("a beach", 1), ("people", -1)]),
        ("fr", "plage sans personne dans la nuit",
         [("plage dans la nuit", 1), ("personne", -1)]),
        ("fr", "ville sans les voitures ni les gens",
         [("ville", 1), ("voitures", -1), ("gens", -1)]),
        ("fr", "une maison, pas de neige", [("une maison", 1), ("neige", -1)]),
        ("es", "playa sin gente y coches", [("playa", 1), ("gente", -1), ("coches", -1)]),
        ("es", "calle sin ningún coche en la noche",
         [("calle en la noche", 1), ("coche", -1)]),
        # Words of English and of others that mean something else.
        ("en", "sin city", [("sin city", 1)]),
        ("en", "sans serif letters", [("sans serif letters", 1)]),
        ("en", "a kind man", [("a kind man", 1)]),
    ],
)  # fmt: skip
def test_what_is_left_out_in_other_languages(
    tag: str, text: str, expected: list[tuple[str, float]]
) -> None:
    query = parse(text, replace(WORLD, locale=Locale.of(tag)))
    found = [(term.content, term.weight) for term in query.terms]
    assert [(one.text, weight) for one, weight in found if isinstance(one, Described)] == expected


def test_a_literal_text_is_all_description() -> None:
    query = parse("-no  before:2021", WORLD, literal=True)
    assert [term.content for term in query.terms] == [Described("-no before:2021")]
    assert query.conditions == ()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("x in 2021", "2021-01-01", "2022-01-01"),
        ("x 2021", "2021-01-01", "2022-01-01"),
        ("x in May 2021", "2021-05-01", "2021-06-01"),
        ("x last summer", "2023-06-01", "2023-09-01"),
        ("x this summer", "2024-06-01", "2024-09-01"),
        ("x last winter", "2023-12-01", "2024-03-01"),
        ("x last week", "2024-07-01", "2024-07-08"),
        ("x yesterday", "2024-07-09", "2024-07-10"),
        ("x 3 years ago", "2021-01-01", "2022-01-01"),
        ("x on 24 December 2020", "2020-12-24", "2020-12-25"),
        ("x between May 2020 and June 2021", "2020-05-01", "2021-07-01"),
        ("x since March 2020", "2020-03-01", None),
        ("x before 2020", None, "2020-01-01"),
        ("x in the 1990s", "1990-01-01", "2000-01-01"),
        ("before:2021-05-03 x", None, "2021-05-03"),
        ("after:2021-05 x", "2021-06-01", None),
        ("until:2021 x", None, "2022-01-01"),
        ('on:"last summer" x', "2023-06-01", "2023-09-01"),
        ("on:2020..2021-03 x", "2020-01-01", "2021-04-01"),
        ("year:2019-2021 x", "2019-01-01", "2022-01-01"),
    ],
)
def test_dates(text: str, start: str | None, end: str | None) -> None:
    query = parse(text, WORLD)
    assert query.conditions == (Taken(start, end),)
    assert [term.content for term in query.terms] == [Described("x")]


@pytest.mark.parametrize("text", ["summer in the city", "a march of ants", "2 may flies", "may 2"])
def test_words_that_may_be_dates_stay_words(text: str) -> None:
    assert parse(text, WORLD).conditions == ()


def test_places_are_those_of_the_library() -> None:
    assert parse("pizza in Rome at night", WORLD).conditions == (InPlace("Rome"),)
    assert parse("people in new york", WORLD).conditions == (InPlace("new york"),)
    assert parse("meat in turkey sauce", WORLD).conditions == ()
    assert parse("pizza in Paris", WORLD).conditions == ()


def test_other_filters() -> None:
    query = parse('type:jpg -type:raw rating>=4 month:may "Ünïcode" is:video', WORLD)
    assert set(query.conditions) == {
        OfFormat(("JPEG", "MPO")),
        Not(OfFormat(("RAW",))),
        Rated(4, 5),
        TakenInMonth(5),
        Saying("Ünïcode"),
        OfFormat(("VIDEO",)),
    }


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("dogs befor:2021", 5, "did you mean before:"),
        ("dogs before:", 12, "needs a value"),
        ("dogs before:never", 12, "no date"),
        ('dogs "on a', 5, "not closed"),
        ('dogs ""', 5, "nothing between"),
        ("rating>=9", 6, "no rating"),
        ("type:docx", 5, "no type of file"),
        ("month:2021-13", 6, "no month"),
        ("on:31/02/2021", 3, "no date"),
        ("dogs 31/02/2021", 5, "no day"),
        ("near:Atlantis", 5, "near:41.9,12.5"),
        ("near:99,0", 5, "off the Earth"),
        ("area:41,12,42", 5, "3 of the four edges"),
        ("area:41,12,42,13,14", 5, "5 of the four edges"),
        ("area:41,12,42,1e2", 5, "east is '1e2'"),
        ("area:,12,42,13", 5, "south is ''"),
        ("area:-91,12,42,13", 5, "south is -91, beyond 90 degrees"),
        ("area:41,12,42,181", 5, "east is 181, beyond 180 degrees"),
        ("dogs area:42,12,41,13", 10, "south is 42, above north, 41"),
        ("2:in:Rome", 0, "no weight"),
        ("image:0", 6, "number"),
        ("is:nice", 3, "portrait"),
    ],
)
def test_errors_point_at_the_character(text: str, position: int, reason: str) -> None:
    with pytest.raises(QueryError, match=re.escape(reason)) as caught:
        parse(text, WORLD)
    assert caught.value.position == position
    assert caught.value.pointer.splitlines()[1].index("^") == position + 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("area:41.8,12.4,42,12.6", "in the area of 41.9,12.5"),
        ("area:-17.2,179.9,-16.8,-179.9", "in the area of -17.0,180.0"),
        ("area:35,0,50,20", "area on the map"),
        ("area:-90,-180,90,180", "area on the map"),
        # At a pole it is not far around the Earth.
        ("area:89.99,-180,90,180", "in the area of 90.0,0.0"),
    ],
)
def test_an_area_is_called_by_the_town_in_its_middle(text: str, said: str) -> None:
    world = World(town_at=lambda north, east: f"{north:.1f},{east:.1f}")
    assert understood(parse(text, world)) == f"filter: {said}"
    assert understood(parse(text, World())) == "filter: area on the map"


def test_parts_are_in_order_and_do_not_overlap() -> None:
    text = "2:dog  photo:3 last summer -cats without red balls in Rome camera:x"
    parts = parse(text, WORLD).parts
    assert all(a.end <= b.start for a, b in pairwise(parts))
    assert text[parts[-1].start : parts[-1].end] == "camera:x"
    assert {part.kind for part in parts} == {"like", "unlike", "filter"}


def test_filters_as_arguments_are_those_of_the_box() -> None:
    asked = Filters(
        before=date(2021, 5, 3),
        year=2020,
        place="Rome",
        rating=">=4",
        shape="portrait",
        video=False,
    )
    box = parse("before:2021-05-03 year:2020 in:Rome rating>=4 is:portrait -is:video", WORLD)
    assert set(asked.conditions(WORLD)) == set(box.conditions)
    near = Filters(near=(41.9, 12.5, 10)).conditions(WORLD)
    assert near == parse("near:41.9,12.5,10km", WORLD).conditions
    area = Filters(area=(41.8, 12.4, 42, 12.6)).conditions(WORLD)
    assert area == parse("area:41.8,12.4,42,12.6", WORLD).conditions
    with pytest.raises(UsageError, match="before: 'never' is no date"):
        Filters(before="never").conditions(WORLD)
