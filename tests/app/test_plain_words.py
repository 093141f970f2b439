"""Plain words on real pictures with real metadata: how many queries find a right photo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fastjsonschema
import pytest
from plain_words import queries
from shell import Shell

import photosearch.search
from photosearch import Library
from photosearch.encoders import bundled_path

pytestmark = pytest.mark.slow

# Of the queries, what share has a right photo first, and among the first three.
LEAST = 0.95, 0.95
# What looks alone finds.
MOST_BY_LOOKS = 0.4


@pytest.fixture(scope="module")
def library(plain_words: Path) -> Iterator[Library]:
    with Library.open(plain_words / "library", model=bundled_path()) as library:
        yield library


def stems(library: Library, text: str, limit: int = 20) -> list[str]:
    return [Path(hit.path).stem for hit in library.search(text, limit=limit)]


def _right(library: Library, *, literal: bool) -> tuple[float, float]:
    first = among = 0
    asked = queries()
    for text, right in asked:
        found = [Path(hit.path).stem for hit in library.search(text, limit=3, literal=literal)]
        first += bool(right.intersection(found[:1]))
        among += bool(right.intersection(found))
    return first / len(asked), among / len(asked)


def test_right_photos_come_first(library: Library) -> None:
    assert len(queries()) >= 60
    first, among = _right(library, literal=False)
    assert first >= LEAST[0], first
    assert among >= LEAST[1], among
    assert _right(library, literal=True)[1] <= MOST_BY_LOOKS


def test_all_that_is_known_is_shown_whatever_it_looks_like(library: Library) -> None:
    for text, right in queries():
        if len(right) > 1 and " " not in text and text[0].isupper():
            assert right <= set(stems(library, text, 40)), text


def test_ordinary_words_do_not_drown_what_is_seen(library: Library) -> None:
    # There is an album of hats, photos of Nice and of Reading.
    assert stems(library, "a nice cat")[0] == "P3000001"
    seen = [Path(hit.path).stem for hit in library.search("a man reading", literal=True)]
    assert stems(library, "a man reading")[: len(seen)] == seen
    assert "P1000002" not in stems(library, "a cat with a hat")
    assert "P3000001" in stems(library, "a cat with a hat")


def test_a_backslash_asks_for_what_is_seen(library: Library) -> None:
    assert stems(library, "\\Rome") == [
        Path(hit.path).stem for hit in library.search("Rome", literal=True)
    ]


def test_a_season_in_a_place(library: Library) -> None:
    assert set(stems(library, "summer in Rome")) == {"IMG_2041", "IMG_2042", "IMG_2050"}
    assert stems(library, "winter in Rome") == []


def test_what_is_read_and_noted_is_found_by_whole_words(library: Library) -> None:
    assert stems(library, "Boarding Pass")[0] == "scan0001"
    assert library.understand("Board").facts == ()
    assert stems(library, "Alfama")[0] == "DSC_0101"
    assert library.understand("Alfa").facts == ()


def test_the_command_says_what_words_were_taken_for(plain_words: Path) -> None:
    run = Shell(plain_words, bundled_path())
    said = run("search", "Anna in a museum").stderr.decode()
    assert '"Anna" taken as a person' in said
    assert '"museum" taken as a keyword' in said
    assert "taken as" not in run("search", "a cat").stderr.decode()


def test_programs_get_it_too(plain_words: Path) -> None:
    answer = json.loads(Shell(plain_words, bundled_path())("search", "Rome", "--json").stdout)
    schema = Path(photosearch.search.__file__).with_name("result.schema.json")
    fastjsonschema.compile(json.loads(schema.read_text()))(answer)
    (part,) = (part for part in answer["understood"] if part["kind"] == "fact")
    assert (part["name"], part["meaning"], part["filter"]) == ("place", "Rome", "in:Rome")
    assert "Rome" in answer["hits"][0]["path"]
