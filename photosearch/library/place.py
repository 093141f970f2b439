"""Where a library is, and whether it is still there."""

from __future__ import annotations

import os
from pathlib import Path

import index.errors
from photosearch.errors import LibraryError

_CATALOGUE = "catalogue.db"


def is_library(folder: Path) -> bool:
    return (folder / _CATALOGUE).is_file()


def catalogue_file(folder: Path) -> tuple[int, int] | None:
    """What tells the catalogue in this folder from others, None without one."""
    try:
        status = os.stat(folder / _CATALOGUE)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def gone(folder: Path) -> LibraryError:
    """For a library that was there when the program began."""
    return LibraryError(str(index.errors.gone(folder)))
