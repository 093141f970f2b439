"""The one error of this package."""

from __future__ import annotations

from pathlib import Path


class CatalogueError(Exception):
    """A catalogue cannot be opened, read or written; the message names it and what to do.

    `damaged` when it is since SQLite finds the file itself damaged.
    """

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


def gone(folder: Path) -> CatalogueError:
    """For a library that was there when the program began."""
    return CatalogueError(
        f"{folder}: the library is not there any more; put its folder back, or start photosearch "
        "again to make a new one. Photos are as they were"
    )
