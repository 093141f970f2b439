"""Index runs that change the model, and what searches find by it."""

from __future__ import annotations

import shutil
from pathlib import Path

from colour_bundle import picture

from photosearch import Event, Library, Switched

COLOURS = ("red", "green", "blue", "black")


def four_pictures(folder: Path) -> Path:
    """A new folder with a picture of each of `COLOURS`."""
    folder.mkdir()
    for name in COLOURS:
        (folder / f"{name}.png").write_bytes(picture(name))
    return folder


def encode(place: Path) -> Path:
    """Fill `place` with the photos and their library, by the bundled model, for `restore`."""
    four_pictures(place / "photos")
    with Library.open(place / "library") as library:
        run(library, place / "photos")
    for name in ("photos", "library"):
        shutil.copytree(place / name, place / "copies" / name)
    return place


def restore(place: Path) -> Path:
    """Undo what was done to the photos in `place`, which it gives, and to the library."""
    for name in ("photos", "library"):
        shutil.rmtree(place / name)
        shutil.copytree(place / "copies" / name, place / name)
    return place / "photos"


def run(library: Library, *folders: Path) -> list[Event]:
    return list(library.index(folders, workers=1))


def names(library: Library, text: str = "red") -> list[str]:
    return [Path(hit.path).stem for hit in library.search(text, everything=True)]


def switches(events: list[Event]) -> list[Switched]:
    return [event for event in events if isinstance(event, Switched)]
