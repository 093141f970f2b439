"""What lies in a box: all that a catalogue says, the photos, and what was made of them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from faults.box import Box

# By part, rows that can be compared with those of another run.
State = dict[str, set[tuple[object, ...]]]

# Of every table what is the same whenever it is written, and whatever the ids are.
_ROWS = {
    "folders": "SELECT path FROM folders",
    "photos": "SELECT path, size, mtime_ns, width, height, format, missing, companions, "
    "hex(digest) FROM photos JOIN contents ON contents.id = content_id",
    "problems": "SELECT path, size, mtime_ns, reason FROM problems",
    "others": "SELECT path, suffix, files FROM others",
    "vectors": "SELECT hex(digest), bundle_id, hex(vector) FROM embeddings "
    "JOIN contents ON contents.id = content_id",
    "frames": "SELECT hex(digest), bundle_id, number, hex(vector) FROM frames "
    "JOIN contents ON contents.id = content_id",
    "looks": "SELECT hex(digest), hex(look) FROM looks JOIN contents ON contents.id = content_id",
    "readings": "SELECT hex(digest), text FROM readings JOIN contents ON contents.id = content_id",
    "metadata": "SELECT path, taken_at, taken_source, latitude, longitude, rating, caption, "
    "keywords, people, regions, place, state, as_read FROM metadata "
    "JOIN photos ON photos.id = photo_id",
    "albums": "SELECT name FROM albums",
    "album photos": "SELECT name, hex(digest) FROM album_photos "
    "JOIN albums ON albums.id = album_id",
    "ratings": "SELECT hex(digest), stars FROM own_ratings",
    "keywords": "SELECT hex(digest), keyword, there FROM own_keywords",
    "people": "SELECT people.name, above, hidden, key FROM people "
    "LEFT JOIN people_names ON person_id = people.id",
    "faces": "SELECT hex(digest), x, y, name FROM faces "
    "JOIN contents ON contents.id = content_id "
    "LEFT JOIN face_groups ON group_id = face_groups.id",
    "face groups": "SELECT name, hidden, (SELECT group_concat(hex(digest), ' ') FROM "
    "(SELECT digest FROM faces JOIN contents ON contents.id = content_id "
    "WHERE group_id = face_groups.id ORDER BY digest)) FROM face_groups",
    "face scans": "SELECT hex(digest), model FROM face_scans "
    "JOIN contents ON contents.id = content_id",
    "refusals": "SELECT hex(digest), name FROM face_refusals JOIN faces ON faces.id = face_id "
    "JOIN contents ON contents.id = content_id JOIN face_groups ON face_groups.id = "
    "face_refusals.group_id",
    "answers": "SELECT one.name, other.name, answer, moved, refused FROM face_answers "
    "JOIN face_groups AS one ON one.id = group_id JOIN face_groups AS other ON other.id = other_id",
    "tunings": "SELECT bundle_id, hex(layer) FROM tunings",
    "marks": "SELECT query, hex(digest), fits FROM verdicts",
    "saved": "SELECT name, text, sort FROM saved_searches",
    "models": "SELECT key, value FROM state WHERE key NOT IN ('generation', 'revision')",
}
# What a catalogue may have beside it, and what a run leaves that is no part of its work.
_BESIDE = ("writer.lock", "writer.json", "photosearch.log", "catalogue.db-wal", "catalogue.db-shm")

# What the user or the page has set.
_SETTINGS = ("config.toml", "ui.json", "recent.json", "download.json")
# Of these parts each row is a file, by its name.
FILES = ("sidecars", "made", "stored", "settings", "secrets", "pictures")


def state_of(box: Box) -> State:
    """All that is recorded and made. A catalogue without tables says nothing."""
    state = _said(box.library / "catalogue.db")
    state["sidecars"] = {
        (name, _digest(path)) for name, path in _files(box.photos) if _is_sidecar(name)
    }
    # What is hidden is a draft.
    state["made"] = {
        (name, _content(path)) for name, path in _files(box.out) if not _is_hidden(name)
    }
    # Only a folder with bundle.json is a model.
    state["stored"] = {
        (name, _digest(path))
        for name, path in _files(box.library / "models")
        if (box.library / "models" / name.split(os.sep)[0] / "bundle.json").is_file()
        and not name.startswith(".")
    }
    state["settings"] = {
        (name, _digest(path)) for name, path in _files(box.library) if name in _SETTINGS
    }
    # One that is new is another each time.
    state["secrets"] = {
        (name, _digest(path) if name == "api.token" else path.stat().st_size)
        for name, path in _files(box.library)
        if name in ("api.token", "page.key")
    }
    state["pictures"] = {
        (name, _digest(path))
        for name, path in _files(box.library / "thumbnails")
        if name.endswith(".webp")
    }
    return state


def photos_of(box: Box) -> dict[str, tuple[str, int]]:
    """Of each photo the hash of its bytes, and its time of change."""
    return {
        name: (_digest(path), path.stat().st_mtime_ns)
        for name, path in _files(box.photos)
        if not _is_sidecar(name) and not _is_draft(name)
    }


def left_over(box: Box) -> set[str]:
    """What lies about: drafts and workshops of a process that is no more.

    Copies of models and exports that were begun go later, when surely nobody is at them.
    """
    found = {path.name for path in box.library.iterdir()} if box.library.is_dir() else set()
    found |= {name for name, _ in _files(box.photos)}
    found |= {name for name, _ in _files(box.library) if not name.startswith("models")}
    # The settings' lock stays where it is, as the library's does.
    return {name for name in found if _is_hidden(name) or name.endswith(".part")} - {".config.lock"}


def _said(path: Path) -> State:
    state: State = {name: set() for name in _ROWS}
    if not path.is_file():
        return state
    with closing(sqlite3.connect(path)) as db:
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return state
        for name, query in _ROWS.items():
            try:
                state[name] = set(db.execute(query))
            except sqlite3.DatabaseError as error:
                if "syntax" in str(error):
                    raise
                # Of an older schema, or damaged.
                state[name] = {("cannot be read", str(error))}
    return state


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            yield os.path.relpath(path, folder), path


def _is_sidecar(name: str) -> bool:
    """A draft of one is hidden."""
    return ".xmp" in os.path.basename(name) and not _is_draft(name)


def _is_draft(name: str) -> bool:
    return os.path.basename(name).startswith(".")


def _is_hidden(name: str) -> bool:
    """It, or a folder that it lies in."""
    return "/." in f"/{name}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _content(path: Path) -> str:
    """Of an archive what can be unpacked, and not when it was packed."""
    if path.suffix != ".photosearch":
        return _digest(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return " ".join(sorted(f"{one.filename} {one.file_size}" for one in archive.infolist()))
