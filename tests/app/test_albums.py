"""Albums and favourites, as a program has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from photosearch import Album, Library, UsageError


@pytest.fixture
def library(picture_library: Path, tiny_bundle: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(picture_library, tmp_path / "library")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library


def test_an_album_has_one_name(library: Library) -> None:
    cats = library.albums.create("  My   cats ")
    assert library.albums.create("my cats") == cats
    dogs = library.albums.create("Dogs")
    library.albums.rename(dogs, "More dogs")
    favourites = library.albums.FAVOURITES
    assert library.albums.all() == [
        Album(favourites, ""),
        Album(dogs, "More dogs"),
        Album(cats, "My cats"),
    ]
    with pytest.raises(UsageError, match="an album MY CATS already"):
        library.albums.rename(dogs, "MY CATS")
    for name in ("", " \t"):
        with pytest.raises(UsageError, match="is empty"):
            library.albums.create(name)
        with pytest.raises(UsageError, match="is empty"):
            library.albums.rename(dogs, name)
    for album in (favourites, 4711):
        with pytest.raises(UsageError, match="no album"):
            library.albums.rename(album, "Cats")


def test_photos_in_albums(library: Library) -> None:
    one, two, *_ = library.photos.browse()
    dogs = library.albums.create("Dogs")
    library.albums.add_photos([one.id])
    library.albums.add_photos([one.id, two.id], dogs)
    favourites = library.albums.FAVOURITES
    assert library.albums.of([one.id, two.id]) == {one.id: [favourites, dogs], two.id: [dogs]}
    assert library.photos.browse("album", str(dogs)) == [one, two]
    assert library.photos.browse("album", str(dogs), offset=1, limit=1) == [two]
    library.albums.remove_photos([one.id], dogs)
    assert library.photos.browse("album", str(dogs)) == [two]
    library.albums.remove(dogs)
    assert library.albums.of([one.id, two.id]) == {one.id: [favourites]}
    assert len(library.photos.browse()) == 6
