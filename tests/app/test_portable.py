"""`photosearch export` and `import`: a library that is carried to another machine."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, new_photo, unit_vectors
from shell import Shell, message

from index import Catalogue, WriterLock
from photosearch import Finished, Library
from photosearch.errors import LibraryError, UsageError
from photosearch.portable.mapping import PathMap


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pictures: Path, tiny_bundle: Path) -> Path:
    """A folder with photos, their library, and what was exported of it."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(pictures, folder / "photos")
    with Library.open(folder / "library", model=tiny_bundle) as library:
        for _ in library.index([folder / "photos"], workers=1):
            pass
        library.export(folder / "out.photosearch")
    return folder


@pytest.fixture
def exported(made: Path) -> Path:
    return made / "out.photosearch"


def vectors(library: Path, bundle: Path) -> dict[str, bytes]:
    return {
        os.path.basename(path): vector
        for path, vector in Shell(library.parent, bundle).photos(library).items()
    }


def altered(exported: Path, to: Path, name: str, content: bytes) -> Path:
    """The archive with another content of one member."""
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(to, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return to


@pytest.mark.slow
def test_to_another_machine(shell: Shell, photos: Path, tmp_path: Path) -> None:
    shell("index", photos)
    before = shell.photos()
    result = shell("export", "out.photosearch")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(b"Exported 6 photos to out.photosearch (")

    # There the photos lie elsewhere, one is not there, and their times are those of the copy.
    there = tmp_path / "there = elsewhere"
    there.mkdir()
    for path in photos.iterdir():
        if path.name != "coffee.png":
            shutil.copyfile(path, there / path.name)
    shutil.rmtree(photos)
    shell.library = tmp_path / "second"
    shell.environment["PHOTOSEARCH_LIBRARY"] = str(shell.library)
    result = shell("import", "out.photosearch", "--map", f"{photos}={there}")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.decode().splitlines()
    assert lines[0] == (
        "Imported 6 photos; 5 of them are here now, and the others are hidden until they are."
    )
    assert lines[1] == f"Folder    {photos} -> {there}"
    assert lines[2].startswith("Model     tiny-1-")
    assert len(lines) == 3
    moved = {str(there / os.path.basename(path)): vector for path, vector in before.items()}
    del moved[str(there / "coffee.png")]
    assert shell.photos() == moved
    assert shell("search", "a cat").returncode == 0

    # Nothing is encoded again, not even by other times of change.
    assert "Indexed 0 photos" in shell("index").stdout.decode()
    assert shell.photos() == moved


def test_nothing_is_overwritten_silently(
    made: Path, exported: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    with Library.open(made / "library", model=tiny_bundle) as library:
        with pytest.raises(UsageError, match=r"precious: is there already; .*--overwrite"):
            library.export(precious)
        with pytest.raises(UsageError, match="is a folder"):
            library.export(tmp_path)
        assert precious.read_text() == "mine"
        library.export(precious, overwrite=True)
    assert zipfile.is_zipfile(precious)
    assert {path.name for path in tmp_path.iterdir()} == {"precious"}

    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(BUNDLE, [new_photo("/a.jpg")], unit_vectors(1))
    with pytest.raises(UsageError, match=r"there is a library already; .*--replace"):
        Library.import_from(exported, tmp_path / "library")
    with Catalogue.open(tmp_path / "library") as catalogue:
        assert catalogue.paths("/", missing=False) == ["/a.jpg"]

    done = Library.import_from(exported, tmp_path / "library", replace=True)
    assert done.photos == done.found == 6
    assert len(vectors(tmp_path / "library", tiny_bundle)) == 6
    assert done.kept is not None
    shutil.copyfile(done.kept, tmp_path / "catalogue.db")
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.paths("/", missing=False) == ["/a.jpg"]


def test_what_was_forgotten_does_not_go_along(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "library", tmp_path / "library")
    with Library.open(tmp_path / "library") as library:
        library.forget(made / "photos")
        library.export(tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out") as archive:
        assert b"chelsea" not in archive.read("catalogue.db")
        assert json.loads(archive.read("library.json"))["folders"] == []


def test_hashes_are_checked(exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        content = archive.read("catalogue.db")
        about = archive.read("library.json")
    other = altered(exported, tmp_path / "a", "catalogue.db", content[:-1] + b"!")
    with pytest.raises(LibraryError, match=r"a: is damaged.*catalogue.db is not what was exported"):
        Library.import_from(other, tmp_path / "library")
    cut = tmp_path / "b"
    cut.write_bytes(exported.read_bytes()[:-1000])
    flipped = bytearray(exported.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "c").write_bytes(flipped)
    (tmp_path / "d").write_bytes(b"no archive")
    newer = json.loads(about) | {"format": 2}
    altered(exported, tmp_path / "e", "library.json", json.dumps(newer).encode())
    escaping = json.loads(about)
    escaping["files"]["models/../../evil"] = escaping["files"]["catalogue.db"]
    altered(exported, tmp_path / "f", "library.json", json.dumps(escaping).encode())
    for name, text in (
        ("b", "is damaged"),
        ("c", "is damaged"),
        ("d", "is damaged"),
        ("e", "upgrade photosearch"),
        ("f", "is damaged"),
        ("nowhere", "cannot be read"),
    ):
        with pytest.raises(LibraryError, match=f"{name}: .*{text}"):
            Library.import_from(tmp_path / name, tmp_path / "library")
    assert not (tmp_path / "library").exists()


def test_a_model_goes_along_when_it_is_asked_for(
    made: Path, exported: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    alone = Library.import_from(exported, tmp_path / "alone")
    assert alone.model is not None
    assert not alone.model_here
    with Library.open(made / "library", model=tiny_bundle) as library:
        library.models.use(tiny_bundle, at_once=True)
    with Library.open(made / "library") as library:
        done = library.export(tmp_path / "with", with_models=True)
    assert done.models == (alone.model,)
    imported = Library.import_from(tmp_path / "with", tmp_path / "library")
    assert imported.model_here
    with Library.open(tmp_path / "library") as library:
        assert len(library.search("a cat")) == 6
    with zipfile.ZipFile(tmp_path / "with") as archive:
        name = next(name for name in archive.namelist() if name.endswith("image.onnx"))
    other = altered(tmp_path / "with", tmp_path / "other", name, b"other")
    with pytest.raises(LibraryError, match="is not what was exported"):
        Library.import_from(other, tmp_path / "third")


def test_maps_that_do_not_fit(exported: Path, tmp_path: Path) -> None:
    for option, text in (
        ("/photos", "has no =; give it as OLD=NEW"),
        ("/nowhere=/x", "nothing in the library lies below /nowhere"),
        ("=/x", "nothing in the library lies below"),
    ):
        with pytest.raises(UsageError, match=text):
            Library.import_from(exported, tmp_path / "library", maps=[option])
    assert not (tmp_path / "library").exists()


def test_two_folders_may_change_places_but_not_become_one(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "a") as catalogue:
        for folder in ("/x", "/y"):
            catalogue.add_folder(folder)
        photos = [new_photo("/x/1.jpg"), new_photo("/y/1.jpg"), new_photo("/y/odd\udce9 %.jpg")]
        catalogue.record(BUNDLE, photos, unit_vectors(3))
        before = {photo.path: photo.id for photo in catalogue.photos([1, 2, 3])}
    with Library.open(tmp_path / "a") as library:
        library.export(tmp_path / "out")
    with pytest.raises(UsageError, match=r"two photos would both be /y/1\.jpg"):
        Library.import_from(tmp_path / "out", tmp_path / "b", maps=["/x=/y"])
    Library.import_from(tmp_path / "out", tmp_path / "b", maps=["/x=/y", "/y=/x"])
    with Catalogue.open(tmp_path / "b") as catalogue:
        assert {photo.path: photo.id for photo in catalogue.photos([1, 2, 3])} == {
            "/y/1.jpg": before["/x/1.jpg"],
            "/x/1.jpg": before["/y/1.jpg"],
            "/x/odd\udce9 %.jpg": before["/y/odd\udce9 %.jpg"],
        }
        catalogue.mark_present(["/y/1.jpg", "/x/1.jpg", "/x/odd\udce9 %.jpg"])
        assert catalogue.folders() == ["/x", "/y"]
        ids, rows = catalogue.embeddings(BUNDLE)
        assert list(ids) == [1, 2, 3]
        assert np.allclose(rows, unit_vectors(3), atol=1e-3)


def test_paths_of_windows_become_ours() -> None:
    paths = [r"C:\Users\Ada\Pictures\2024\a=b.jpg", r"D:\x.jpg"]
    chosen = PathMap.parse(["c:\\users\\ADA\\pictures\\=/home/ada", r"D:\=/mnt/d"], paths, "\\")
    assert [chosen(path) for path in paths] == ["/home/ada/2024/a=b.jpg", "/mnt/d/x.jpg"]
    assert chosen("C:\\Users\\Ada\\Pictures") == "/home/ada"
    assert chosen(r"C:\Users\Ada\Pictures2\x.jpg") == r"C:\Users\Ada\Pictures2\x.jpg"
    assert chosen.left([*paths, r"E:\y.jpg"]) == [r"E:\y.jpg"]
    # Both a folder and what it is here may hold the sign.
    named = PathMap.parse(["/a=b/c=/d=e"], ["/a=b/c/1.jpg"], "/")
    assert named("/a=b/c/1.jpg") == "/d=e/1.jpg"


def test_a_library_of_windows(exported: Path, tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "a") as catalogue:
        catalogue.add_folder("C:\\Photos")
        catalogue.record(BUNDLE, [new_photo("C:\\Photos\\1.jpg")], unit_vectors(1))
    with Library.open(tmp_path / "a") as library:
        library.export(tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out") as archive:
        about = json.loads(archive.read("library.json")) | {"separator": "\\"}
    windows = altered(
        tmp_path / "out", tmp_path / "win", "library.json", json.dumps(about).encode()
    )
    with pytest.raises(UsageError, match=r"Photos.*is a path of another system; .*--map OLD=NEW"):
        Library.import_from(windows, tmp_path / "b")
    done = Library.import_from(windows, tmp_path / "b", maps=["C:\\=/mnt/c"])
    assert done.folders == (("C:\\Photos", "/mnt/c/Photos"),)
    with Catalogue.open(tmp_path / "b") as catalogue:
        assert catalogue.paths("/mnt/c/Photos", missing=True) == ["/mnt/c/Photos/1.jpg"]


def test_a_dry_run_writes_nothing(exported: Path, tmp_path: Path) -> None:
    done = Library.import_from(exported, tmp_path / "library", dry_run=True)
    assert (done.photos, done.found) == (6, 6)
    assert list(tmp_path.iterdir()) == []


def test_an_import_needs_the_library_for_itself(
    exported: Path, tmp_path: Path, made: Path, tiny_bundle: Path
) -> None:
    (tmp_path / "library").mkdir()
    with (
        WriterLock(tmp_path / "library").held(),
        pytest.raises(LibraryError, match="is being changed by"),
    ):
        Library.import_from(exported, tmp_path / "library")
    Library.import_from(exported, tmp_path / "library")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        last = list(library.index(workers=1))[-1]
    assert isinstance(last, Finished)
    assert (last.indexed, last.unchanged) == (0, 6)


@pytest.mark.slow
def test_commands_without_a_library(shell: Shell, exported: Path) -> None:
    assert "nothing to export" in message(shell("export", "x"), 1)
    assert "is damaged" in message(shell("import", __file__), 1)
    assert not shell.library.exists()
