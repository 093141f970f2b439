"""The one error of this package."""

from __future__ import annotations


class CatalogueError(Exception):
    """A catalogue cannot be opened, read or written; the message names it and what to do."""
