"""What only the owner of a library can read."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from optional import needs_linux

from index import WriterLock
from photosearch import Library
from photosearch.ui.recent import RecentSearches

pytestmark = needs_linux("has users and modes of files")


def open_to_others(folder: Path) -> set[str]:
    every = (folder, *folder.rglob("*"))
    return {path.name for path in every if stat.S_IMODE(path.lstat().st_mode) & 0o077}


@pytest.fixture(autouse=True)
def usual_mask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_library(tmp_path: Path, tiny_bundle: Path, photos: Path) -> None:
    folder = tmp_path / "above" / "library"
    with Library.open(folder, model=tiny_bundle) as library:
        # From the first moment on, with SQLite's log beside it.
        assert (folder / "catalogue.db-wal").exists()
        assert open_to_others(folder) == set()
        for _ in library.index([photos / "coffee.png"], workers=1):
            pass
        assert open_to_others(folder) == set()
        RecentSearches(folder, kept=True).add("a cat")
        library.export(tmp_path / "exported.zip")
    assert (folder / "vectors").exists()
    assert open_to_others(folder) == set()
    assert stat.S_IMODE((tmp_path / "exported.zip").stat().st_mode) == 0o600
    # No business of ours.
    assert stat.S_IMODE((tmp_path / "above").stat().st_mode) == 0o755
    assert stat.S_IMODE((photos / "coffee.png").stat().st_mode) & 0o044


def test_an_older_one_is_mended_by_a_run(picture_library: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(picture_library, tmp_path / "library"))
    (folder / "thumbnails" / "srgb" / "ab").mkdir(parents=True)
    (folder / "thumbnails" / "srgb" / "ab" / "cd.webp").touch()
    (folder / "calibrations").mkdir()
    for name in ("recent.json", "ui.json", "download.json", "speed.json", ".ui.json.1.1.part"):
        (folder / name).touch()
    outside = tmp_path / "outside.png"
    outside.touch()
    (folder / "window").symlink_to(outside)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    with WriterLock(folder).held():
        assert open_to_others(folder) == {"window"}  # as all links are
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_what_others_put_into_the_folder_stays_as_it_is(tmp_path: Path) -> None:
    """Somebody may have named a folder with photos for the library."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    (tmp_path / "recent.json").touch()
    tmp_path.chmod(0o755)
    with WriterLock(tmp_path).held():
        assert open_to_others(tmp_path) == {tmp_path.name, "photos", "cat.jpg"}
