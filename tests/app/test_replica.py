"""A server on a library that it may only read, and what it notes of requests."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from known_library import make_library
from small_disk import small_disk
from test_api import Served

from index import Catalogue, FaissIndex
from photosearch import Library, LibraryError
from photosearch.serving.library_thread import LibraryThread


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """All files, but for what SQLite keeps beside a catalogue for its readers."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.slow
def test_a_read_only_server_changes_nothing_and_sees_what_is_new(
    picture_library: Path,
    tiny_bundle: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = tmp_path / "library"
    # The log is not to be in the library folder.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shutil.copytree(picture_library, library)
    before = tree(library)
    server = Served(
        library, tiny_bundle, "--read-only", "--log-requests", token="secret",
        before=["--log-format", "json"],
    )  # fmt: skip
    server.client.headers["authorization"] = "Bearer secret"
    try:
        assert server.client.get("/v1/search", params={"q": "type:png"}).json()["total"] == 5
        assert server.client.get("/v1/photos/1/thumbnail").status_code == 200
        path = str(pictures / "coffee.png").replace("/", "%2F")
        assert server.client.get(f"/v1/photos/{path}").status_code == 200
        assert server.client.get("/v1/photos/no").status_code == 404
        wrong = {"authorization": "Bearer guessed"}
        assert server.client.get("/v1/status", headers=wrong).status_code == 401
        assert tree(library) == before
        with Library.open(library, model=tiny_bundle) as writing:
            writing.forget(pictures / "coffee.png")
        assert server.client.get("/v1/search", params={"q": "type:png"}).json()["total"] == 4
        # As a copy from elsewhere comes: whole, and in the place of the one before.
        shutil.copyfile(picture_library / "catalogue.db", library / "new")
        for name in ("catalogue.db-wal", "catalogue.db-shm"):
            (library / name).unlink(missing_ok=True)
        os.replace(library / "new", library / "catalogue.db")
        assert server.client.get("/v1/search", params={"q": "type:png"}).json()["total"] == 5
    finally:
        server.stop()
    (log,) = (tmp_path / "state").rglob("photosearch.log")
    text = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(one["route"], one["status"]) for one in lines if "route" in one]
    assert told[:6] == [
        ("none", 401),  # that it is there was asked without the token
        ("/v1/search", 200),
        ("/v1/photos/{photo:path}/thumbnail", 200),
        ("/v1/photos/{photo:path}", 200),
        ("/v1/photos/{photo:path}", 404),
        ("none", 401),
    ]
    assert all(one["ms"] >= 0 and one["level"] == "INFO" for one in lines if "route" in one)
    assert "coffee" not in text
    assert "type:png" not in text


def test_what_is_written_while_it_is_read_is_read_again(tmp_path: Path, tiny_bundle: Path) -> None:
    """As on a disk that is mounted read-only, where readers cannot be seen by who writes."""
    older, newer = tmp_path / "older", tmp_path / "newer"
    make_library(older, tiny_bundle, 20)
    make_library(newer, tiny_bundle, 30)
    for folder in (older, newer):
        with Catalogue.open(folder) as catalogue:
            FaissIndex.refresh(catalogue, catalogue.bundle_ids()[0])
    with small_disk(tmp_path) as disk:
        replica = disk.folder / "library"
        shutil.copytree(older, replica, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
        disk.protect()
        asked = []

        def question(library: Library) -> int:
            asked.append(len(library.photos.files([1])))
            if len(asked) == 1:
                disk.unprotect()
                shutil.copyfile(newer / "catalogue.db", replica / "catalogue.db")
                disk.protect()
            return library.status().photos

        thread = LibraryThread(replica, tiny_bundle, readonly=True)
        try:
            assert thread.ask_now(question) == 30
            assert len(asked) == 2
            assert thread.ask_now(question) == 30
            assert len(asked) == 3
            disk.unprotect()
            (replica / "catalogue.db").unlink()
            with pytest.raises(LibraryError, match="not there any more"):
                thread.ask_now(question)
        finally:
            thread.close()
