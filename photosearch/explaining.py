"""Errors of the index as errors of the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from index import CatalogueError
from photosearch.errors import LibraryError


@contextmanager
def explained() -> Iterator[None]:
    """Raises `LibraryError` for a `CatalogueError`; both name the file and what to do."""
    try:
        yield
    except CatalogueError as error:
        raise LibraryError(str(error)) from error
