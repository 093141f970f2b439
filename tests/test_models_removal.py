"""Models and their vectors removed: disk space comes back, and searches go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_changes import encoded, four_pictures, names, run

from photosearch import Library, UsageError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return four_pictures(tmp_path / "photos")


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Iterator[Library]:
    with encoded(tmp_path / "library", photos) as opened:
        yield opened


def test_removing_gives_back_disk_space_and_leaves_searches_alone(
    library: Library, colours: Path
) -> None:
    library.use_model(colours)
    run(library)
    names(library)  # whose vectors are in a file now
    assert library.use_model("mobileclip-nano").active
    before, generation = library.search("red", everything=True), library._catalogue.generation
    place = library.folder / "models" / library.model("colours").id
    size = used(place) + used(library.folder / "vectors")
    removed = library.remove_model("colours")
    assert removed.vectors == 4
    assert removed.bytes == size - used(library.folder / "vectors") > used(colours)
    assert not place.exists()
    assert [model.name for model in library.models()] == ["mobileclip-nano"]
    assert library.search("red", everything=True) == before
    # What others find has not changed, so their files of vectors need no second look.
    assert library._catalogue.generation == generation
    assert library._catalogue.changed_since(generation, library._catalogue.revision).size == 0


def test_changes_are_still_noted_after_a_removal(
    library: Library, colours: Path, photos: Path
) -> None:
    library.use_model(colours)
    run(library)
    library.use_model("mobileclip-nano")
    library.remove_model("colours")
    assert "red" in names(library)
    (photos / "red.png").unlink()
    run(library, photos)
    assert set(names(library)) == {"green", "blue", "black"}


def test_vectors_that_are_kept_are_used_again(library: Library, colours: Path) -> None:
    library.use_model(colours)
    run(library)
    library.use_model("mobileclip-nano")
    assert library.remove_model("colours", keep_vectors=True).vectors == 0
    assert library.model("colours").kind == "gone"
    assert library.use_model(colours).active  # with nothing to encode
    assert names(library)[0] == "red"
    library.use_model("mobileclip-nano")
    library.remove_model("colours", keep_vectors=True)
    assert library.remove_model("colours").vectors == 4


def test_what_searches_need_is_never_removed(library: Library, colours: Path) -> None:
    with pytest.raises(UsageError, match="answers searches"):
        library.remove_model("mobileclip-nano")
    library.use_model(colours)
    with pytest.raises(UsageError, match="is to answer searches"):
        library.remove_model("colours")
    run(library)
    with pytest.raises(UsageError, match="answers searches"):
        library.remove_model("colours")
    with pytest.raises(UsageError, match="comes with photosearch"):
        library.remove_model("mobileclip-nano")
    assert names(library)[0] == "red"


def used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
