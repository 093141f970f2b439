"""Where a library is, and whether it is still there."""

from __future__ import annotations

import os
from pathlib import Path

import index.errors
from index.shared.address import address_of
from photosearch.errors import LibraryError

_CATALOGUE = "catalogue.db"


def is_library(folder: Path) -> bool:
    """Whether there is a library. Raises `CatalogueError` for an archive that cannot be asked."""
    if (folder / _CATALOGUE).is_file():
        return True
    address = address_of(folder)
    if address is None:
        return False
    from index.shared.archive import is_there

    return is_there(address)


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
