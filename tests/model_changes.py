"""Index runs that change the model, and what searches find by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def encoded(folder: Path, photos: Path) -> Iterator[Library]:
    """The library of the photos, encoded by the bundled model."""
    with Library.open(folder) as library:
        run(library, photos)
        yield library


def run(library: Library, *folders: Path) -> list[Event]:
    return list(library.index(folders, workers=1))


def names(library: Library, text: str = "red") -> list[str]:
    return [Path(hit.path).stem for hit in library.search(text, everything=True)]


def switches(events: list[Event]) -> list[Switched]:
    return [event for event in events if isinstance(event, Switched)]
