"""Folders named with other capitals, or accents written otherwise, on systems that take both."""

from __future__ import annotations

import ntpath
import os
import posixpath
import unicodedata
from pathlib import Path, PureWindowsPath
from types import ModuleType

import pytest
from optional import leave_out

from photosearch.indexing import spelling
from photosearch.indexing.scan import resolve_roots
from photosearch.indexing.spelling import _spelt, as_known, as_recorded, on_disk

NFD = unicodedata.normalize("NFD", "Été")


class Disk:
    """Folders on a disk that tells no capitals apart."""

    def __init__(self, paths: ModuleType, *folders: str) -> None:
        self._paths = paths
        self._folders = set(folders)
        self.listed: list[str] = []

    def listing(self, folder: str) -> list[str]:
        self.listed.append(folder)
        if folder.casefold() not in {
            self._paths.dirname(each).casefold() for each in self._folders
        }:
            raise FileNotFoundError(folder)
        return [
            self._paths.basename(each)
            for each in self._folders
            if self._paths.dirname(each).casefold() == folder.casefold()
        ]

    def same(self, path: str, other: str) -> bool:
        return path.casefold() == other.casefold() and path.casefold() in {
            each.casefold() for each in self._folders
        }

    def spelt(self, path: str) -> str:
        return _spelt(path, self._paths, self.listing, self.same)


WINDOWS = Disk(ntpath, r"C:\Users", r"C:\Users\Ada", r"C:\Users\Ada\2023", r"\\nas\photos\Rome")


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        (r"c:\users\ADA\2023", r"C:\Users\Ada\2023"),
        (r"C:\Users\Ada", r"C:\Users\Ada"),
        ("c:\\", "C:\\"),
        # What is not there keeps the name that it was given.
        (r"c:\users\ada\Away", r"C:\Users\Ada\Away"),
        (r"d:\Photos", r"D:\Photos"),
        (r"\\nas\photos\ROME", r"\\nas\photos\Rome"),
        (r"\\NAS\photos\rome", r"\\NAS\photos\Rome"),
    ],
)
def test_as_windows_has_it(given: str, spelt: str) -> None:
    assert WINDOWS.spelt(given) == spelt
    assert PureWindowsPath(WINDOWS.spelt(given)) == PureWindowsPath(given)


def test_as_macos_has_it() -> None:
    disk = Disk(posixpath, "/Users", "/Users/ada", "/Users/ada/Pictures")
    assert disk.spelt("/users/ADA/pictures") == "/Users/ada/Pictures"
    assert disk.spelt("/") == "/"


def test_a_folder_that_cannot_be_listed_keeps_its_name() -> None:
    disk = Disk(posixpath, "/Users")
    disk.listing = _refused  # type: ignore[method-assign]
    assert disk.spelt("/users") == "/users"


def _refused(folder: str) -> list[str]:
    raise PermissionError(folder)


def test_capitals_that_count_are_left_alone(tmp_path: Path) -> None:
    for name in ("Photos", "photos"):
        (tmp_path / name).mkdir()
    if os.path.samefile(tmp_path / "Photos", tmp_path / "photos"):
        leave_out("a disk on which capitals count")
    for name in ("Photos", "photos", "PHOTOS"):
        path = str(tmp_path / name)
        assert on_disk(path) == path
        assert as_known(path, [str(tmp_path / "Photos")]) == path


@pytest.fixture
def no_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths that differ in capitals alone are the same, as far as they are there."""
    exists = os.path.exists

    def there(path: str) -> str | None:
        place = "/"
        for name in filter(None, path.split("/")):
            found = [each for each in os.listdir(place) if each.casefold() == name.casefold()]
            if not found:
                return None
            place = os.path.join(place, found[0])
        return place

    def same(path: str, other: str) -> bool:
        return there(path) is not None and there(path) == there(other)

    monkeypatch.setattr(spelling, "_is_same", same)
    monkeypatch.setattr(os.path, "exists", lambda path: exists(there(str(path)) or path))


@pytest.mark.usefixtures("no_capitals")
def test_one_folder_named_twice_is_one_root(tmp_path: Path) -> None:
    (tmp_path / "Pictures" / "Rome").mkdir(parents=True)
    folder = str(tmp_path / "Pictures")
    other = str(tmp_path / "pictures")
    assert resolve_roots([folder, other, f"{other}/rome"]) == [folder]
    assert resolve_roots([f"{other}/ROME"]) == [f"{folder}/Rome"]
    # A folder that was indexed as somebody typed it keeps that name.
    assert as_known(folder, [other]) == other


def test_a_folder_is_recorded_by_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    known = [str(tmp_path / NFD)]
    for given, name in (
        ("~/photos/", "photos"),
        (".", "photos"),
        (Path("..", "photos", "2024"), "photos/2024"),
        (f"~/{unicodedata.normalize('NFC', NFD)}/2023/", f"{NFD}/2023"),
    ):
        assert as_recorded(given, known) == os.path.join(tmp_path, *name.split("/"))


def test_accents_are_one_with_their_letters_or_not() -> None:
    known = [f"/photos/{NFD}"]
    assert as_known("/photos/Été/2023", known) == f"/photos/{NFD}/2023"
    assert as_known(f"/photos/{NFD}/2023", known) == f"/photos/{NFD}/2023"


@pytest.mark.parametrize(("platform", "is_known"), [("win32", True), ("linux", False)])
def test_a_known_folder_that_is_away(
    platform: str, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spelling.sys, "platform", platform)
    spelt = as_known("/media/usb/dcim", ["/media/usb/DCIM"])
    assert spelt == ("/media/usb/DCIM" if is_known else "/media/usb/dcim")
