"""What a search reads of the catalogue: of each photo that it shows, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from known_library import make_library

from photosearch import Library, PhotoFile
from photosearch.api import answers

VIEW: dict[str, Any] = {
    "filters": None,
    "limit": 20,
    "offset": 0,
    "sort": "relevance",
    "group": None,
    "collapse": False,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    place = tmp_path_factory.mktemp("reads") / "library"
    make_library(place, tiny_bundle)
    return place


@pytest.fixture
def library(place: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(place, model=tiny_bundle) as library:
        library.search("a dog")  # opens the vectors, and learns the places
        yield library


@contextmanager
def statements(library: Library) -> Iterator[list[str]]:
    """What SQLite is asked meanwhile."""
    raw = library._catalogue._connection._raw
    asked: list[str] = []
    raw.set_trace_callback(asked.append)
    try:
        yield asked
    finally:
        raw.set_trace_callback(None)


def of_photos(asked: list[str]) -> list[str]:
    return [sql for sql in asked if " photos" in sql or " metadata" in sql]


def test_the_photos_of_a_page_are_read_by_one_statement(library: Library) -> None:
    with statements(library) as asked:
        found = answers.search(library, "a dog", everything=False, locale="", **VIEW)
    assert len(found["hits"]) == 20
    frames, photos = of_photos(asked)
    assert " frames " in frames
    assert " path," in photos
    assert " taken_source," in photos


def test_a_similar_photo_is_looked_up_once(library: Library) -> None:
    hit = library.search("a dog")[0]
    with statements(library) as asked:
        by_id = library.photos.similar(hit.photo_id)
    assert sum(f"'[{hit.photo_id}]'" in sql and " path," in sql for sql in asked) == 1
    with statements(library) as asked:
        by_path = library.photos.similar(hit.path)
    assert sum(f"path = '{hit.path}'" in sql for sql in asked) == 1
    assert not any(f"'[{hit.photo_id}]'" in sql and " path," in sql for sql in asked)
    assert by_id == by_path
    assert hit.photo_id not in [one.photo_id for one in by_id]


def test_photos_are_put_on_stacks_once_also_for_the_last_page(library: Library) -> None:
    with statements(library) as asked:
        assert not library.search("a dog", limit=1000, collapse=True).more
    compared = [sql for sql in asked if " vector FROM photos JOIN" in sql]
    assert len(set(compared)) == len(compared) > 0


def test_what_is_listed_is_what_is_known_of_each_photo(library: Library) -> None:
    hits = library.search("a dog", limit=500, collapse=True)
    ids = [one.photo_id for hit in hits for one in (hit, *hit.others)]
    assert sorted(hits.listed) == sorted(ids)
    some = ids[::7]
    library.albums.add_photos(some)
    try:
        metadata = library.photos.metadata(ids)
        for photo, file in zip(library.photos.listed(ids), library.photos.files(ids), strict=True):
            known = metadata.get(photo.id)
            assert asdict(file).items() <= asdict(photo).items()
            assert photo.taken_at == (known and known.taken_at)
            assert photo.taken_source == (known and known.taken_source)
            assert photo.place == (known and known.place)
            assert photo.favourite == (photo.id in library.albums.of([photo.id]))
            if not photo.favourite:
                assert photo == hits.listed[photo.id]
        assert any(photo.place for photo in hits.listed.values())
        assert any(photo.favourite for photo in library.photos.newest(1000))
    finally:
        library.albums.remove_photos(some)
    assert library.photos.listed([4711, ids[0]]) == [hits.listed[ids[0]]]
    assert isinstance(hits.listed[ids[0]], PhotoFile)
