"""`photosearch forget`: what leaves the library, and that no photo is touched."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from shell import Shell, message

from index import Catalogue, FileStamp, NewPhoto
from index.catalogue import id_parts, written_names
from photosearch import Library

pytestmark = pytest.mark.slow


@pytest.fixture
def below(photos: Path) -> Path:
    folder = photos / "trip 100%"
    folder.mkdir()
    for name in ("coffee.png", "coins.png"):
        (photos / name).rename(folder / name)
    (folder / "empty.jpg").touch()
    return folder


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_forgetting_a_folder(shell: Shell, photos: Path, below: Path) -> None:
    shell("index", photos)
    before, vectors = state(photos), shell.photos()

    tried = shell("forget", "--dry-run", "photos/trip 100%/")
    assert tried.returncode == 0
    assert tried.stdout.decode().startswith(f"Would forget 2 photos below {below}.")
    assert len(shell.photos()) == 6
    assert b"empty.jpg" in shell("status", "--problems").stdout

    assert shell("search", "a cat").returncode == 0
    result = shell("forget", "photos/trip 100%/")
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode().startswith(f"Forgot 2 photos below {below}. The files stay")
    assert f"It lies in {photos}" in result.stdout.decode()
    assert shell.photos().keys() == {str(path) for path in photos.glob("*.*")}
    # Nothing of their vectors is left in the file that searches use either.
    assert list((shell.library / "vectors").glob("*")) == []
    assert b"empty.jpg" not in shell("status", "--problems").stdout
    found = shell("search", "-0", "a cat").stdout.split(b"\0")[:-1]
    assert {os.fsdecode(path) for path in found} == shell.photos().keys()
    assert state(photos) == before

    shell("index")
    assert shell.photos() == vectors


def test_forgetting_a_known_folder_that_is_away(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    photos.rename(photos.with_name("unplugged"))
    result = shell("forget", photos)
    assert result.stdout.decode().splitlines() == [
        f"Forgot 6 photos below {photos}. The files stay as they are."
    ]
    assert b"Folder" not in shell("status").stdout
    assert "no folder is known yet" in message(shell("index"), 2)


def test_forgetting_what_is_not_there(shell: Shell, photos: Path) -> None:
    assert "no library yet" in message(shell("forget", photos), 1)
    assert not shell.library.exists()
    shell("index", photos)
    text = message(shell("forget", "elsewhere"), 2)
    assert f"elsewhere: nothing is recorded below it; known folders: {photos}" in text
    assert "empty" in message(shell("forget", ""), 2)
    assert "FOLDER" in message(shell("forget"), 2)
    assert len(shell.photos()) == 6


@pytest.mark.slow
def test_after_all_is_forgotten_nothing_is_left_over(shell: Shell, photos: Path) -> None:
    assert shell("index", photos).returncode == 0
    assert shell("forget", photos).returncode == 0
    shell("search", "a cat")
    shell("index")
    found = shell("doctor")
    assert found.returncode == 0, found.stdout
    assert not list((shell.library / "vectors").glob("*.faiss"))


def test_names_of_what_was_forgotten_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_parts, "AT_ONCE", 2)
    secret = str(Path("/secret").absolute())
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(os.path.join(secret, f"surprise {n}.jpg"), FileStamp(1, 1), 4, 3, "JPEG")
            for n in range(5)
        ]
        catalogue.record("model", photos, np.ones((5, 4), np.float32))
        catalogue.selection.refresh()
    kept = tmp_path / written_names.FILE_NAME
    assert "surprise" in kept.read_text()
    with Library.open(tmp_path) as library:
        assert library.forget(secret) == 5
    assert not kept.exists() or "surprise" not in kept.read_text()
