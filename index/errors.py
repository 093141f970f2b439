"""The one error of this package."""

from __future__ import annotations


class CatalogueError(Exception):
    """A catalogue cannot be opened, read or written; the message names it and what to do.

    `damaged` when it is since SQLite finds the file itself damaged.
    """

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged
