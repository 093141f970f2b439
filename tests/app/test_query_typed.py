"""Quotes, dashes and signs as phones and keyboards write them, and names in either normal form."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, unit_vectors

from index import Catalogue, FileStamp, Metadata, NewPhoto, SavedSearch
from index.catalogue.conditions import InFolder, Made, Not, OfFormat, Rated, Saying
from photosearch import Library, QueryError, UsageError
from photosearch.formats import SUFFIXES
from photosearch.indexing.scan import resolve_roots
from photosearch.search.parse import parse
from photosearch.search.query import Described, Pictured

QUOTES = ('""', "\u201c\u201d", "\u201e\u201c", "\u201e\u201d", "\u201d\u201d", "\u201f\u201d")
QUOTES += ("\u00ab\u00bb", "\u00bb\u00ab", "\uff02\uff02", "\u300c\u300d")


@pytest.mark.parametrize("quotes", QUOTES)
def test_quotes_of_all_kinds(quotes: str) -> None:
    first, last = quotes
    query = parse(f"dogs {first}grand hotel{last} camera:{first}Canon EOS{last}")
    assert query.conditions == (Saying("grand hotel"), Made("camera", "Canon EOS"))
    assert [(part.start, part.end) for part in query.parts] == [(0, 4), (5, 18), (19, 37)]


@pytest.mark.parametrize("dash", "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63")
def test_dashes_of_all_kinds(dash: str) -> None:
    query = parse(f"dogs {dash}people {dash}type:raw in 2018{dash}2020")
    assert [(term.content, term.weight) for term in query.terms] == [
        (Described("dogs"), 1),
        (Described("people"), -1),
    ]
    assert Not(OfFormat(("RAW",))) in query.conditions
    assert query.parts[-1].meaning == "2018\N{EN DASH}2020"


def test_other_signs_of_all_kinds() -> None:
    query = parse("\uff52ating\u22654 type\uff1araw\u3000\uff12\uff1ared new year\u2019s eve 2019")
    assert set(query.conditions) >= {Rated(4, 5), OfFormat(("RAW",))}
    assert query.parts[-1].meaning == "31 December 2019"
    assert [(term.content, term.weight) for term in query.terms] == [(Described("red"), 2)]


def test_parts_stand_where_they_were_typed() -> None:
    """An accent may be a character of its own, and one character may mean two."""
    text = "cafe\u0301 rating\u22654 im Ma\u0308rz 2020 \u201cnai\u0308ve\u201d"
    query = parse(text)
    assert [text[part.start : part.end] for part in query.parts] == [
        "cafe\u0301",
        "rating\u22654",
        "im Ma\u0308rz 2020",
        "\u201cnai\u0308ve\u201d",
    ]
    assert [term.content for term in query.terms] == [Described("caf\u00e9")]
    with pytest.raises(QueryError, match="not closed") as caught:
        parse("cafe\u0301 \u201copen")
    assert (caught.value.position, caught.value.text) == (6, "cafe\u0301 \u201copen")


def test_names_of_files_keep_their_characters() -> None:
    name = "/a/it\u2019s \u2013 one.jpg"
    assert parse(f'photo:"{name}"').terms[0].content == Pictured(name)
    assert parse("/a/it\u2019s\u2013one.jpg").terms[0].content == Pictured(
        "/a/it\u2019s\u2013one.jpg"
    )
    assert parse("folder:it\u2019s").conditions == (InFolder("it\u2019s"),)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_any_file_that_is_looked_for_is_a_term(suffix: str) -> None:
    for path in (f"~/clip{suffix}", f"/a/CLIP{suffix.upper()}", f"./b{suffix}", f"C:\\b{suffix}"):
        (term,) = parse(f"{path} -snow").terms[:1]
        assert term.content == Pictured(path)
    assert parse(f"clip{suffix} in snow").terms[0].content == Described(f"clip{suffix} in snow")


COMPOSED = "/photos/M\u00fcnchen/Caf\u00e9/Stra\u00dfe \u00fc.jpg"
APART = unicodedata.normalize("NFD", "/photos/M\u00fcnchen/Caf\u00e9 2/Fr\u00fchst\u00fcck.jpg")
MIXED = "/photos/M\u00fcnchen/" + unicodedata.normalize("NFD", "Caf\u00e9 3") + "/n\u00e4.jpg"
FORMS = ("NFC", "NFD")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        apart = unicodedata.normalize("NFD", "\u00dcberraschung")
        said = Metadata(
            caption=apart, keywords=(apart,), camera=unicodedata.normalize("NFD", "K\u00f6nig")
        )
        photos = [
            NewPhoto(path, FileStamp(number, 1), 4, 3, "JPEG", metadata=said if number else None)
            for number, path in enumerate((COMPOSED, APART, MIXED))
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        yield catalogue


@pytest.mark.parametrize("form", FORMS)
def test_normal_forms_are_the_same_in_filters(catalogue: Catalogue, form: str) -> None:
    def found(text: str) -> list[int]:
        conditions = parse(unicodedata.normalize(form, text)).conditions
        return [photo - 1 for photo in catalogue.selection.ids(conditions).tolist()]

    assert found('folder:"/photos/M\u00fcnchen"') == [0, 1, 2]
    assert found('folder:"/photos/M\u00fcnchen/Caf\u00e9"') == [0]
    assert found('folder:"/photos/M\u00fcnchen/Caf\u00e9 2"') == [1]
    assert found('folder:"/photos/M\u00fcnchen/Caf\u00e9 3"') == [2]
    assert found("folder:m\u00fcnchen") == [0, 1, 2]
    assert found('folder:"caf\u00e9 2"') == [1]
    assert found('"Fr\u00fchst\u00fcck"') == [1]
    assert found('"stra\u00dfe"') == [0]
    assert found('"\u00dcberraschung"') == [1, 2]
    assert found("camera:K\u00f6nig") == [1, 2]


def id_at(catalogue: Catalogue, path: str) -> int | None:
    found = catalogue.file_at(path)
    return None if found is None else found.id


@pytest.mark.parametrize("form", FORMS)
def test_a_photo_has_one_id_in_either_form(catalogue: Catalogue, form: str) -> None:
    for number, path in enumerate((COMPOSED, APART, MIXED), 1):
        assert id_at(catalogue, unicodedata.normalize(form, path)) == number
    assert id_at(catalogue, "/photos/M\u00fcnchen/nothing.jpg") is None


def test_two_files_whose_names_differ_in_form_only_stay_two(catalogue: Catalogue) -> None:
    other = unicodedata.normalize("NFD", COMPOSED)
    catalogue.record(BUNDLE, [NewPhoto(other, FileStamp(9, 1), 4, 3, "JPEG")], unit_vectors(1))
    assert id_at(catalogue, COMPOSED) == 1
    assert id_at(catalogue, other) == 4


def test_saved_searches_and_albums_have_one_name(catalogue: Catalogue) -> None:
    composed, apart = "Gr\u00fc\u00dfe", unicodedata.normalize("NFD", "Gr\u00fc\u00dfe")
    catalogue.saved.put(SavedSearch(apart, "a cat", "newest"))
    catalogue.saved.put(SavedSearch(composed, "a dog", "newest"))
    assert [one.text for one in catalogue.saved.all()] == ["a dog"]
    for name in (composed, apart, "GR\u00dc\u00dfE"):
        assert catalogue.saved.get(name) == SavedSearch(composed, "a dog", "newest")
    assert catalogue.saved.remove(apart)
    assert catalogue.saved.all() == []
    shelves = catalogue.shelves
    album = shelves.make_album(composed)
    assert album == shelves.make_album(apart) == shelves.make_album(composed.lower())
    other = shelves.make_album("Other")
    assert not shelves.rename_album(other, apart)
    assert shelves.rename_album(album, apart)


def test_a_folder_is_known_in_either_form(tmp_path: Path) -> None:
    composed, apart = (str(tmp_path / unicodedata.normalize(form, "Caf\u00e9")) for form in FORMS)
    Path(composed).mkdir()
    # As a drive that is not connected now, or as macOS has it, where both are one folder.
    assert resolve_roots([apart], [composed]) == [composed]
    assert resolve_roots([composed], [apart]) == [composed]
    Path(apart).symlink_to(composed)
    assert resolve_roots([apart], [composed]) == [composed]
    inside = Path(composed) / "a"
    inside.mkdir()
    assert resolve_roots([Path(apart) / "a"], [composed]) == [str(inside)]


@pytest.mark.parametrize("form", FORMS)
def test_photos_are_shown_and_forgotten_by_either_form(
    tmp_path: Path, tiny_bundle: Path, form: str
) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(path, FileStamp(1, 1), 4, 3, "JPEG") for path in (COMPOSED, APART, MIXED)
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
    with Library.open(tmp_path, model=tiny_bundle) as library:
        assert library.photos.about(unicodedata.normalize(form, APART)).file.path == APART
        assert library.forget(unicodedata.normalize(form, "/photos/M\u00fcnchen/Caf\u00e9 3")) == 1
        with pytest.raises(UsageError, match="nothing is recorded"):
            library.forget(unicodedata.normalize(form, "/photos/M\u00fcnchen/Caf\u00e9 9"))
        # As it is written, if anything is recorded just so, and then in the other form.
        for _ in FORMS:
            assert library.forget(unicodedata.normalize(form, "/photos/M\u00fcnchen")) == 1
