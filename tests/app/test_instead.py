"""What is said where nothing is found, on real pictures with real metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import Shell

from photosearch import Fewer, Filters, Instead, Library, Nearest
from photosearch.api import answers
from photosearch.encoders import bundled_path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(plain_words: Path) -> Iterator[Library]:
    with Library.open(plain_words / "library", model=bundled_path()) as library:
        yield library


def nearest(found: Instead) -> list[str]:
    return [one.text for one in found.nearest]


@pytest.mark.parametrize(
    ("text", "failed", "first"),
    [
        ("camera:cannon", "camera:cannon", 'camera:"Canon EOS R6"'),
        ("coins keyword:suovenirs", "keyword:suovenirs", "coins keyword:souvenirs"),
        ("person:Berget", "person:Berget", 'person:"Anna Berger"'),
        ("album:Weding", "album:Weding", "album:Wedding"),
        ("folder:Holidya", "folder:Holidya", "folder:Holiday"),
        ("in:Lisbonn", "in:Lisbonn", "in:Lisbon"),
        ("coins in:Naples", "in:Naples", "coins in:Rome"),
        ("in May 2005", "in May 2005", "April 2014"),
        ("before:2010", "before:2010", "on:2014-04"),
        ("since:2025", "since:2025", "on:2023-05"),
        ("year:2013", "year:2013", "on:2014-04"),
    ],
)  # fmt: skip
def test_what_failed_and_what_is_nearest(
    library: Library, text: str, failed: str, first: str
) -> None:
    assert not library.search(text)
    found = library.instead(text)
    assert found.failed == (failed,)
    assert nearest(found)[0] == first
    assert library.search(first, limit=1).total == found.nearest[0].count


def test_a_place_near_by(library: Library) -> None:
    near = library.instead("in:Naples").nearest[0]
    assert (near.by, near.label, near.count) == ("place", "Rome", 3)
    assert near.kilometres == pytest.approx(188, abs=3)


def test_one_part_fewer(library: Library) -> None:
    text = "in:Rome before:2021 camera:pixel"
    assert not library.search(text)
    found = library.instead(text)
    # Each has photos, and none all of them.
    assert found.failed == ()
    assert found.nearest == ()
    assert found.fewer[0] == Fewer("in:Rome", "before:2021 camera:pixel", 2)
    assert Fewer("before:2021", "in:Rome camera:pixel", 2) in found.fewer
    for one in found.fewer:
        assert library.search(one.text).total == one.count


def test_what_nothing_looks_like(library: Library) -> None:
    text = "zebra in:Rome"
    assert not library.search(text)
    found = library.instead(text)
    assert found == Instead(("zebra",), (), (Fewer("zebra", "in:Rome", 3),))


def test_a_word_that_was_misspelt(library: Library) -> None:
    found = library.instead("Mnuich castle")
    assert Nearest("Mnuich", "spelling", "Munich", "Munich castle", 2) in found.nearest


def test_filters_given_beside_the_text(library: Library) -> None:
    found = library.instead("", filters=Filters(camera="canon", before="2010"))
    assert found.failed == ("before:2010",)
    assert found.fewer == (Fewer("before:2010", "", 6),)


def test_an_empty_library_has_nothing_instead(tmp_path: Path) -> None:
    with Library.open(tmp_path, model=bundled_path()) as library:
        assert library.instead("in:Rome") == Instead()


def test_it_comes_with_the_answer_to_other_programs(library: Library) -> None:
    view = {"limit": 5, "offset": 0, "sort": "relevance"}
    found = answers.search(library, "in:Rome before:2010", **view)
    assert found["instead"]["failed"] == ("before:2010",)
    assert "instead" not in answers.search(library, "in:Rome", **view)


def test_one_line_on_the_command_line(plain_words: Path) -> None:
    run = Shell(plain_words, bundled_path())
    said = run("search", "in:Naples before:2010")
    assert said.returncode == 1
    assert said.stderr.decode().splitlines()[-1] == (
        "Nothing matches in:Naples, before:2010. Nearest: in:Rome (3, 188 km away), "
        "in:Nice (2, 657 km away), on:2014-04 (2)."
    )
    said = run("search", "--json", "zebra in:Rome")
    assert json.loads(said.stdout)["instead"]["fewer"][0]["count"] == 3
