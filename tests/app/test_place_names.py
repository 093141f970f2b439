"""Places by the names that people use for them, in several languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from catalogue_data import BUNDLE, unit_vectors

from index import Catalogue, FileStamp, Metadata, NewPhoto
from index.catalogue.functions import folded, place_keys
from photosearch.indexing.place_names import places_called
from photosearch.indexing.places import place_named, with_place
from photosearch.search.filters import World
from photosearch.search.parse import parse
from photosearch.shipped import asset

TAKEN = {
    "Munich": (48.1374, 11.5755),
    "Cologne": (50.9333, 6.95),
    "Rome": (41.8919, 12.5113),
    "Florence": (43.7687, 11.2569),
    "Lodz": (51.7706, 19.4739),
    "Wroclaw": (51.1, 17.0333),
    "Tromso": (69.6489, 18.9551),
    "London": (51.5085, -0.1257),
    "Edinburgh": (55.9521, -3.1965),
    "New York": (40.758, -73.9855),
    "Portland": (45.5234, -122.6762),
    "Heraklion": (35.3279, 25.1434),
    "Sydney": (-33.8568, 151.2153),
    "Zurich": (47.3667, 8.55),
    "Sterzing": (46.8964, 11.4331),
}
NAMES = list(TAKEN)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """A photo of each of these places, named as the indexer names them."""
    with Catalogue.open(tmp_path_factory.mktemp("places")) as catalogue:
        photos = [
            NewPhoto(
                f"/{name}.jpg",
                FileStamp(number, 1),
                4,
                3,
                "JPEG",
                metadata=with_place(Metadata(latitude=north, longitude=east)),
            )
            for number, (name, (north, east)) in enumerate(TAKEN.items())
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        yield catalogue


def world(catalogue: Catalogue) -> World:
    selection = catalogue.selection
    return World(
        today=date(2024, 7, 10),
        places=frozenset(selection.places()),
        called=places_called,
        locate=lambda name: selection.centre(name, places_called(name)) or place_named(name),
        lives_south=lambda: bool(selection.southern()),
    )


def found(catalogue: Catalogue, text: str) -> set[str]:
    conditions = parse(text, world(catalogue)).conditions
    return {NAMES[photo - 1] for photo in catalogue.selection.ids(conditions).tolist()}


GERMAN = {"Munich", "Cologne"}
ITALIAN = {"Rome", "Florence", "Sterzing"}
EUROPEAN = set(NAMES) - {"New York", "Portland", "Sydney"}


@pytest.mark.parametrize(
    ("names", "places"),
    [
        ("Munich|München|Munchen|Muenchen|munich|Monaco di Baviera|Múnich|MÜNCHEN", {"Munich"}),
        ("Cologne|Köln|Koln|Koeln|Colonia", {"Cologne"}),
        ("Rome|Roma|Rom", {"Rome"}),
        ("Florence|Firenze|Florenz|Florencia", {"Florence"}),
        ("Łódź|Lodz|lodz", {"Lodz"}),
        ("Wrocław|Wroclaw|Breslau", {"Wroclaw"}),
        ("Tromsø|Tromso|Tromsoe", {"Tromso"}),
        ("London|Londres|Londra|Londyn", {"London"}),
        ("Zürich|Zurich|Zuerich|Zurigo", {"Zurich"}),
        ("Sterzing|Vipiteno", {"Sterzing"}),
        ("Germany|Deutschland|Allemagne|Alemania|Germania", GERMAN),
        ("Italy|Italien|Italie|Italia", ITALIAN),
        (
            "USA|US|U.S.A.|United States|America|Amerika|Vereinigte Staaten",
            {"New York", "Portland"},
        ),
        (
            "UK|U.K.|United Kingdom|Great Britain|Großbritannien|Royaume-Uni",
            {"London", "Edinburgh"},
        ),
        ("England|Angleterre|Inglaterra", {"London"}),
        ("Scotland|Schottland", {"Edinburgh"}),
        ("Bavaria|Bayern|Bavière|Baviera", {"Munich"}),
        ("Tuscany|Toskana|Toscana|Toscane", {"Florence"}),
        ("Crete|Kreta", {"Heraklion"}),
        ("California|Kalifornien", set()),
        ("Europe|Europa", EUROPEAN),
        ("Scandinavia|Skandinavien", {"Tromso"}),
        ("Oceania|Ozeanien", {"Sydney"}),
        ("Portland, Oregon|Portland, USA", {"Portland"}),
        ("Portland, Maine|München, Schweiz|Atlantis", set()),
        ("München, Deutschland|Munich, Bayern", {"Munich"}),
    ],
)
def test_a_place_by_all_its_names(catalogue: Catalogue, names: str, places: set[str]) -> None:
    for name in names.split("|"):
        assert (name, found(catalogue, f'in:"{name}"')) == (name, places)


def test_names_in_plain_words_are_those_of_the_library(catalogue: Catalogue) -> None:
    def understood(text: str) -> list[str]:
        return [part.meaning for part in parse(text, world(catalogue)).parts if part.name == "in"]

    assert understood("beer in Munich") == ["in Munich"]
    assert understood("Bier aus Deutschland") == ["in Deutschland"]
    assert understood("pizza in der Toskana mit Oma") == ["in Toskana"]
    assert understood("a street in the USA at night") == ["in USA"]
    assert understood("dogs in Spain") == understood("a dog in snow") == []
    assert found(catalogue, "beer in the UK") == {"London", "Edinburgh"}


@pytest.mark.slow
def test_near_knows_these_names_too() -> None:
    munich = place_named("Munich")
    assert munich is not None
    assert {place_named(name) for name in ("München", "Muenchen", "Monaco di Baviera")} == {munich}
    assert place_named("Cologne") == place_named("Köln")
    assert place_named("Portland, Vereinigte Staaten") == place_named("Portland, Oregon")
    assert place_named("Nowhere at all") is None


def test_seasons_are_those_of_the_place_that_is_named(catalogue: Catalogue) -> None:
    known = world(catalogue)

    def said(text: str, world: World) -> list[str]:
        parts = parse(text, world).parts
        return [part.meaning.replace("\N{EN DASH}", "-") for part in parts if part.name == "date"]

    assert said("beach summer 2019", known) == ["June-August 2019"]
    assert said("beach summer 2019 in Sydney", known) == ["December 2019 - February 2020"]
    assert said("beach summer 2019 near:Sydney", known) == ["December 2019 - February 2020"]
    southern = replace(known, lives_south=lambda: True)
    assert said("beach summer 2019", southern) == ["December 2019 - February 2020"]
    assert said("beach summer 2019 in Rome", southern) == ["June-August 2019"]


def test_most_photos_say_on_which_half_of_the_earth_one_lives(catalogue: Catalogue) -> None:
    assert catalogue.selection.southern() is False


def test_the_list_of_names_is_in_order_and_complete() -> None:
    lines = asset("places", "names.tsv").read_bytes().split(b"\n")
    assert lines[0] == lines[-1] == b""
    assert lines[1:-1] == sorted(set(lines[1:-1]))
    assert all(line.count(b"\t") == 3 for line in lines[1:-1])
    assert places_called("") == ()


def test_letters_that_are_no_letter_with_an_accent() -> None:
    assert folded("Łódź Tromsø Þór Đà Nẵng") == "lodz tromso thor da nang"
    assert folded("\u201cIt\u2019s\u201d \u2013 x") == '"it\'s" - x'
    assert "koeln" in place_keys("Ko\u0308ln")
