"""What is suggested while one types, on real pictures with real metadata."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from photosearch import Library, Suggestion, UsageError
from photosearch.encoders import bundled_path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(plain_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    own = shutil.copytree(plain_words / "library", tmp_path_factory.mktemp("suggesting") / "own")
    with Library.open(own, model=bundled_path()) as library:
        library.saved.add("Streets", "in:Manhattan -people", sort="newest")
        yield library


def texts(found: list[Suggestion]) -> list[str]:
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("typed", "first", "count"),
    [
        ("dog in Ro", "dog in Rome", 3),
        ("dog in the Ro", "dog in Rome", 3),
        ("new y", "in New York City", 2),
        ("münch", "in Munich", 2),
        ("Mnichov", "in Munich", 2),
        ("camera:can", 'camera:"Canon EOS R6"', 6),
        ('a red -camera:"can', 'a red -camera:"Canon EOS R6"', 6),
        ("-cano", '-camera:"Canon EOS R6"', 6),
        ("a cat with anna", 'a cat with person:"Anna Berger"', 2),
        ("berg", 'person:"Anna Berger"', 2),
        ("loss", "keyword:\"cherry blossom\"", 1),
        ("weddi", "album:Wedding", 2),
        ("work tr", 'folder:"Work trips"', 2),
        ("in aug 2019", "in August 2019", 2),
        ("before:201", "before:2019", 2),
        ("dogs after:2018-0", "dogs after:2018-08", 1),
        ("year:2018", "year:2018", 3),
        ("near:Par", "near:Paris", 2),
    ],
)  # fmt: skip
def test_names_are_completed_where_the_caret_is(
    library: Library, typed: str, first: str, count: int
) -> None:
    found = library.suggest(typed)
    assert texts(found)[0] == first
    assert found[0].count == count
    assert found[0].caret == len(first)
    # What is written asks for photos of which one is the cover.
    if not typed.startswith(("-", "a ", "dog")):
        hits = library.search(found[0].text, limit=count)
        assert hits.total >= 1


def test_each_has_as_many_photos_as_are_found(library: Library) -> None:
    every = [one for typed in "abcdefghijklmnoprstuwy" for one in library.suggest(typed, limit=50)]
    counted = [one for one in every if one.count is not None and one.kind != "album"]
    assert {one.kind for one in counted} >= {"place", "month", "folder", "camera", "person"}
    for one in counted:
        hits = library.search(one.text, limit=50)
        assert hits.total == one.count, one
        assert one.cover in [hit.photo_id for hit in hits]


def test_the_caret_stands_between_words(library: Library) -> None:
    text = "in Ro before:2022 coins"
    (found, *_) = library.suggest(text, 5)
    assert (found.text, found.caret) == ("in Rome before:2022 coins", 7)
    # The rest of a word goes with it.
    (found, *_) = library.suggest("in Romeo and", 5)
    assert found.text == "in Rome and"
    assert library.suggest("a dog ", 6) == []
    assert library.suggest('"Ro') == []
    assert library.suggest("\\Ro") == []


def test_places_are_suggested_after_in(library: Library) -> None:
    assert [one.kind for one in library.suggest("a dog in ")] == ["place"] * 8
    assert library.suggest("a dog in the ") == []


def test_filters_are_suggested_with_examples_and_then_their_values(library: Library) -> None:
    (found, *_) = library.suggest("a dog bef")
    assert (found.kind, found.label, found.text) == ("filter", "before:2021", "a dog before:")
    assert found.detail.startswith("Only photos taken before")
    assert library.suggest("bef", locale="de")[0].detail.startswith("Nur Fotos")
    assert texts(library.suggest("is:p")) == ["is:portrait", "is:panorama"]
    assert "type:jpeg" in texts(library.suggest("type:j"))
    assert library.suggest("camera:")[0].count == 6
    assert library.suggest("nothing:ro") == []


def test_months_are_called_as_the_locale_has_them(library: Library) -> None:
    assert texts(library.suggest("mai 2", locale="de")) == ["Mai 2023", "Mai 2020"]
    assert library.suggest("mai 2", locale="en")[0].text == "May 2023"
    with pytest.raises(UsageError, match="locale"):
        library.suggest("a", locale="?")


def test_searches_of_before(library: Library) -> None:
    (saved,) = library.suggest("")
    assert (saved.kind, saved.text, saved.sort) == ("saved", "in:Manhattan -people", "newest")
    recent = ["a dog in Rome", "coins", "Rome 2021", "rome by night"]
    assert texts(library.suggest("", recent=recent))[1:] == recent
    found = library.suggest("rom", recent=recent)
    assert [one.text for one in found if one.kind == "recent"] == ["a dog in Rome", "Rome 2021"]
    # One that was made already is not suggested again.
    assert "coins" not in texts(library.suggest("coins", recent=recent))
    assert library.suggest("manh")[0].kind == "saved"


def test_what_is_new_is_suggested(library: Library) -> None:
    album = library.albums.create("Zeppelins")
    library.albums.add_photos([1, 2], album)
    while not (found := library.suggest("zepp")):
        pass  # read at most for a twentieth of the time
    assert (found[0].kind, found[0].count) == ("album", 2)
    library.albums.remove(album)
