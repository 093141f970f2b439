"""The façade as a Python program uses it: where it lives, what it promises, what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import platformdirs
import pytest

from photosearch import BundleError, Hit, Library, LibraryError, UsageError
from photosearch.settings import library_folder


@pytest.fixture
def place(tmp_path: Path, tiny_bundle: Path, pictures: Path) -> Path:
    """The folder of a library of three real pictures."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("chelsea.png", "coffee.png", "rocket.jpg"):
        shutil.copyfile(pictures / name, photos / name)
    folder = tmp_path / "library"
    with Library.open(folder, model=tiny_bundle) as library:
        index(library, photos)
    return folder


def index(library: Library, *folders: Path) -> None:
    for _ in library.index(folders, workers=1):
        pass


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_default_is_the_variable_or_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PHOTOSEARCH_LIBRARY", "~/elsewhere")
    assert library_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("PHOTOSEARCH_LIBRARY")
    expected = platformdirs.user_data_path("photosearch", appauthor=False) / "library"
    assert library_folder() == expected
    assert not Library.exists()


def test_a_home_folder_is_expanded(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Library.open("~/mine", model=tiny_bundle) as library:
        assert library.folder == tmp_path / "mine"
    assert Library.exists("~/mine")


def test_a_relative_library_stays_where_it_is(
    place: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.parent)
    with Library.open("library", model=tiny_bundle) as library:
        assert library.status().library == str(place)
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
        assert len(library.search("a cat")) == 3
    assert list((tmp_path / "other").iterdir()) == []
    assert (place / "vectors").is_dir()


def test_what_does_not_exist_cannot_be_opened_to_read(tmp_path: Path, tiny_bundle: Path) -> None:
    with pytest.raises(LibraryError, match="nowhere"):
        Library.open(tmp_path / "nowhere", model=tiny_bundle, readonly=True)
    assert not (tmp_path / "nowhere").exists()


def test_reading_only_changes_nothing(place: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.rmtree(place / "vectors")
    before = contents(place)
    with Library.open(place, model=tiny_bundle, readonly=True) as library:
        assert {Path(hit.path).name for hit in library.search("a cat")} == {
            "chelsea.png",
            "coffee.png",
            "rocket.jpg",
        }
        assert library.status().photos == 3
        with pytest.raises(LibraryError, match="catalogue"):
            index(library, tmp_path / "photos")
    after = contents(place)
    # SQLite's own lists of pages beside the catalogue come and go.
    assert {name: after[name] for name in before if "-" not in name} == {
        name: content for name, content in before.items() if "-" not in name
    }
    assert not (place / "vectors").exists()


def test_a_missing_folder_is_refused_before_the_first_event(
    place: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    with Library.open(place, model=tiny_bundle) as library:
        with pytest.raises(UsageError, match="nowhere"):
            library.index([tmp_path / "photos", tmp_path / "nowhere"])
        assert len(library.search("a cat")) == 3


@pytest.mark.parametrize(("text", "limit"), [("", 5), (" \n", 5), ("a cat", 0), ("a cat", -1)])
def test_a_search_for_nothing_is_refused(
    place: Path, tiny_bundle: Path, text: str, limit: int
) -> None:
    with Library.open(place, model=tiny_bundle) as library, pytest.raises(UsageError):
        library.search(text, limit=limit)


def test_hits_are_limited_and_best_first(place: Path, tiny_bundle: Path) -> None:
    with Library.open(place, model=tiny_bundle) as library:
        every = library.search("a cat", limit=100)
        assert [hit.score for hit in every] == sorted((h.score for h in every), reverse=True)
        assert library.search("a cat", limit=2) == every[:2]
        sizes = {Path(hit.path).name: (hit.width, hit.height) for hit in every}
    assert sizes == {
        "chelsea.png": (451, 300),
        "coffee.png": (600, 400),
        "rocket.jpg": (640, 427),
    }


@pytest.mark.slow
def test_an_edited_photo_keeps_its_id(place: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "coffee.png"

    def coffee(library: Library) -> Hit:
        (hit,) = (hit for hit in library.search("a cat") if hit.path == str(photo))
        return hit

    with Library.open(place, model=tiny_bundle) as library:
        before = coffee(library)
        shutil.copyfile(photo.with_name("chelsea.png"), photo)
        index(library, tmp_path / "photos")
        after = coffee(library)
    assert after.photo_id == before.photo_id
    assert (after.width, after.height) == (451, 300)
    assert after.score != before.score


@pytest.mark.slow
def test_a_search_sees_what_another_program_indexed_meanwhile(
    place: Path, tiny_bundle: Path, tmp_path: Path, pictures: Path
) -> None:
    with Library.open(place, model=tiny_bundle) as reader:
        assert len(reader.search("a cat")) == 3
        shutil.copyfile(pictures / "coins.png", tmp_path / "photos" / "coins.png")
        with Library.open(place, model=tiny_bundle) as writer:
            index(writer, tmp_path / "photos")
        assert len(reader.search("a cat")) == 4
        (tmp_path / "photos" / "coins.png").unlink()
        with Library.open(place, model=tiny_bundle) as writer:
            index(writer, tmp_path / "photos")
        assert len(reader.search("a cat")) == 3
        assert reader.status().missing == 1


def test_a_model_is_looked_for_when_it_is_needed(place: Path, tmp_path: Path) -> None:
    with Library.open(place, model=tmp_path / "nowhere") as library:
        with pytest.raises(BundleError, match="nowhere"):
            library.search("a cat")
        with pytest.raises(BundleError, match="nowhere"):
            index(library, tmp_path / "photos")
