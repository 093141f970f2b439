"""Models and their vectors removed: disk space comes back, and searches go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_changes import encode, names, restore, run

from photosearch import Library, UsageError
from photosearch.encoders import DEFAULT_MODEL

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PHOTOSEARCH_MODEL", raising=False)
        return encode(tmp_path_factory.mktemp("encoded"))


@pytest.fixture
def photos(place: Path) -> Path:
    return restore(place)


@pytest.fixture
def library(photos: Path) -> Iterator[Library]:
    with Library.open(photos.with_name("library")) as opened:
        yield opened


def test_removing_gives_back_disk_space_and_leaves_searches_alone(
    library: Library, colours: Path
) -> None:
    library.models.use(colours)
    run(library)
    names(library)  # whose vectors are in a file now
    assert library.models.use(DEFAULT_MODEL).active
    before, generation = library.search("red", everything=True), library._catalogue.generation
    place = library.folder / "models" / library.models.get("colours").id
    size = used(place) + used(library.folder / "vectors")
    removed = library.models.remove("colours")
    assert removed.vectors == 4
    assert removed.bytes == size - used(library.folder / "vectors") > used(colours)
    assert not place.exists()
    assert [model.name for model in library.models.all()] == [DEFAULT_MODEL]
    assert library.search("red", everything=True) == before
    # What others find has not changed, so their files of vectors need no second look.
    assert library._catalogue.generation == generation
    assert library._catalogue.changed_since(generation, library._catalogue.revision).size == 0


def test_changes_are_still_noted_after_a_removal(
    library: Library, colours: Path, photos: Path
) -> None:
    library.models.use(colours)
    run(library)
    library.models.use(DEFAULT_MODEL)
    library.models.remove("colours")
    assert "red" in names(library)
    (photos / "red.png").unlink()
    run(library, photos)
    assert set(names(library)) == {"green", "blue", "black"}


def test_vectors_that_are_kept_are_used_again(library: Library, colours: Path) -> None:
    library.models.use(colours)
    run(library)
    library.models.use(DEFAULT_MODEL)
    assert library.models.remove("colours", keep_vectors=True).vectors == 0
    assert library.models.get("colours").kind == "gone"
    assert library.models.use(colours).active  # with nothing to encode
    assert names(library)[0] == "red"
    library.models.use(DEFAULT_MODEL)
    library.models.remove("colours", keep_vectors=True)
    assert library.models.remove("colours").vectors == 4


def test_what_searches_need_is_never_removed(library: Library, colours: Path) -> None:
    with pytest.raises(UsageError, match="answers searches"):
        library.models.remove(DEFAULT_MODEL)
    library.models.use(colours)
    with pytest.raises(UsageError, match="is to answer searches"):
        library.models.remove("colours")
    run(library)
    with pytest.raises(UsageError, match="answers searches"):
        library.models.remove("colours")
    with pytest.raises(UsageError, match="comes with photosearch"):
        library.models.remove(DEFAULT_MODEL)
    assert names(library)[0] == "red"


def used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
