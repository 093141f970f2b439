"""What tests of index runs ask of one: its events, and what the library knows after it."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import Catalogue
from photosearch import Event, Failed, Finished, Indexed, Library, Recognised


def nested(pictures: Path, folder: Path) -> Path:
    """A new folder of six real pictures, two of them in a folder below."""
    shutil.copytree(pictures, folder)
    (folder / "below").mkdir()
    for name in ("coffee.png", "coins.png"):
        (folder / name).rename(folder / "below" / name)
    return folder


def run(library: Library, *folders: Path) -> list[Event]:
    return list(library.index(folders, workers=1))


def summary(events: list[Event]) -> tuple[int, int, int, int]:
    """Indexed, unchanged, failed and missing, by the last event."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.indexed, last.unchanged, last.failed, last.missing


def indexed(events: list[Event]) -> set[str]:
    return {path for event in events if isinstance(event, Indexed) for path in event.paths}


def failed(events: list[Event]) -> dict[str, str]:
    return {event.path: event.reason for event in events if isinstance(event, Failed)}


def vectors(library: Library) -> dict[str, NDArray[np.float16]]:
    """The recorded vector of each photo that can be found."""
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        ids, rows = catalogue.embeddings(library.models.encoder.bundle_id)
        found = catalogue.photos([int(i) for i in ids])
        return {photo.path: row for photo, row in zip(found, rows, strict=True)}


def found(library: Library) -> set[str]:
    return {hit.path for hit in library.search("a cat", limit=100)}


def all_below(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def recognised(events: list[Event]) -> set[str]:
    return {path for event in events if isinstance(event, Recognised) for path in event.paths}


def ids(library: Library) -> dict[str, int]:
    return {hit.path: hit.photo_id for hit in library.search("a cat", limit=100)}


def worker_pids() -> list[int]:
    return [child.pid for child in multiprocessing.active_children() if child.pid is not None]
