"""Libraries as earlier versions wrote them, in tests/data/libraries.zip: one of each schema.

Run as a program it adds one that the version on PYTHONPATH writes, to be done whenever the schema,
or the file of vectors, has changed:

    PYTHONPATH=. python tests/old_libraries.py
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import zipfile
from contextlib import closing
from importlib import import_module
from pathlib import Path

import numpy as np

ARCHIVE = Path(__file__).parent / "data" / "libraries.zip"
BUNDLE = "tiny-1-0123456789ab"
NAMES = ("sea.jpg", "town.jpg", "hill.jpg", "copy of sea.jpg", "gone.jpg")
# With letters that were compared in another way once.
READ = "Łódź \N{EN DASH} “Café”"


def names() -> list[str]:
    """The libraries in the archive, each called by its newest step; the oldest first."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        return [name.split("/")[0] for name in archive.namelist() if name.endswith(".json")]


def unpack(name: str, folder: Path) -> dict[str, list[float]]:
    """Make `folder` that library; what a search for `query()` gave there: ids and scores."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        for file in archive.namelist():
            within = file.removeprefix(f"{name}/")
            if within != file:
                path = folder / within
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(file))
    found: dict[str, list[float]] = json.loads((folder / "found.json").read_text())
    (folder / "found.json").unlink()
    return found


def query() -> np.ndarray:
    row = np.random.default_rng(9).normal(size=(1, 8)).astype(np.float32)
    return row / np.linalg.norm(row)


def write(folder: Path) -> dict[str, list[float]]:
    """Make a library by whatever version this is, and search in it."""
    index = import_module("index")
    photos = []
    for number, name in enumerate(NAMES):
        photo = index.NewPhoto(
            f"/photos/{name}", index.FileStamp(1000 + number, 10**18), 640, 480, "JPEG"
        )
        if hasattr(photo, "digest"):
            digest = bytes([number % 3]) * 32
            photo = index.NewPhoto(**(vars(photo) | {"digest": digest}))
        photos.append(photo)
    rows = np.random.default_rng(8).normal(size=(5, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[3], rows[4] = rows[0], rows[1]  # of the same bytes
    with index.Catalogue.open(folder) as catalogue:
        catalogue.add_folder("/photos")
        catalogue.record(BUNDLE, photos, rows)
        catalogue.mark_missing(["/photos/gone.jpg"])
        if hasattr(catalogue, "readings"):
            catalogue.readings.put({1: READ})
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        _fill(db)
        db.commit()
    kind = getattr(index, "FaissIndex", None) or index.VectorIndex
    with index.Catalogue.open(folder) as catalogue:
        scores, ids = kind.open(catalogue, BUNDLE).search(query(), 10)
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    return {"ids": ids[0].tolist(), "scores": [round(float(one), 5) for one in scores[0]]}


def _fill(db: sqlite3.Connection) -> None:
    """Whatever else this schema keeps."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    db.execute(
        "INSERT INTO problems (path, size, mtime_ns, reason, seen_at)"
        " VALUES ('/photos/x.jpg', 1, 2, 'is damaged', '2026-11-24T00:00:00')"
    )
    if "metadata" in tables:
        db.execute("DELETE FROM metadata")
        insert = (
            "INSERT INTO metadata (photo_id, taken_at, taken_source, rating, caption, keywords)"
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        said = [(1, "2019-06-01T14:30:05", "exif", 4, "By the sea", '["Rome"]')]
        if "add_sources_of_dates" not in _steps(db):
            said.append((2, "2020-01-01T00:00:00", "mtime", None, None, "[]"))
        db.executemany(insert, said)
    if "albums" in tables:
        db.execute("INSERT INTO albums VALUES (2, 'Best', '2026-11-24T00:00:00')")
        db.execute("INSERT INTO album_photos VALUES (2, ?, '2026-11-24T00:00:00')", [b"\0" * 32])
    if "saved_searches" in tables:
        db.execute("INSERT INTO saved_searches VALUES ('reds', 'red', 'newest')")
    if "own_ratings" in tables:
        db.execute("INSERT INTO own_ratings VALUES (?, 5)", [b"\1" * 32])
        db.execute("INSERT INTO own_keywords VALUES (?, 'town', 1)", [b"\1" * 32])
    if "people" in tables:
        db.execute("INSERT INTO people VALUES (1, 'Anna Berger', 'Family', 0)")
        db.execute("INSERT INTO people_names VALUES ('anna', 'Anna', 1)")
    if "faces" in tables:
        db.execute("INSERT INTO face_scans VALUES (1, 'm')")
        db.execute("INSERT INTO face_groups (id, name) VALUES (1, 'Anna')")
        db.execute(
            "INSERT INTO faces (id, content_id, model, x, y, width, height, landmarks, score, "
            "side, sharp, vector, group_id) VALUES (1, 1, 'm', .1, .2, .3, .4, ?, .9, 80, 9, ?, 1)",
            [bytes(40), bytes(256)],
        )
    if "face_answers" in tables:
        db.execute("INSERT INTO face_groups (id) VALUES (2)")
        db.execute("INSERT INTO face_answers VALUES (1, 2, 'no', '[]', '[]')")


def _steps(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM _sqlite_migrations")}


def _add() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = write(folder)
        with closing(sqlite3.connect(folder / "catalogue.db")) as db:
            (step,) = db.execute(
                "SELECT name FROM _sqlite_migrations ORDER BY id DESC LIMIT 1"
            ).fetchone()
        if ARCHIVE.exists() and step in names():
            sys.exit(f"{step}: is there already")
        with zipfile.ZipFile(ARCHIVE, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{step}/found.json", json.dumps(found))
            for path in [folder / "catalogue.db", *(folder / "vectors").glob("*.faiss")]:
                archive.write(path, f"{step}/{path.relative_to(folder)}")
    print(step)


if __name__ == "__main__":
    _add()
