"""A library folder that is open: its catalogue, its models and its lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from index import Catalogue, WriterLock, network_drive
from photosearch.encoders import Encoder
from photosearch.errors import LibraryError
from photosearch.explaining import explained
from photosearch.models import Models
from photosearch.search.searcher import Searcher


def gone(folder: Path) -> LibraryError:
    """For a library that was there when the program began."""
    return LibraryError(
        f"{folder}: the library is not there any more; put its folder back, or start photosearch "
        "again to make a new one. Photos are as they were"
    )


def _file(folder: Path) -> tuple[int, int] | None:
    """What tells the catalogue in this folder from others, None without one."""
    try:
        status = os.stat(folder / "catalogue.db")
    except OSError:
        return None
    return status.st_dev, status.st_ino


class OpenLibrary:
    """What all parts of `Library` share. Use as a context manager."""

    def __init__(self, catalogue: Catalogue, model: str | os.PathLike[str] | None) -> None:
        self._catalogue = catalogue
        self._models = Models(catalogue, model)
        self._lock = WriterLock(catalogue.folder)
        self._searcher = Searcher(catalogue, lambda: self.encoder)
        self._file = _file(catalogue.folder)

    def close(self) -> None:
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        return self._catalogue.folder

    @property
    def is_current(self) -> bool:
        """Whether the catalogue that is open is still the one in the folder, and none has been put
        in its place. Raises `LibraryError` when there is none any more.
        """
        now = _file(self.folder)
        if now is None:
            raise gone(self.folder)
        return now == self._file

    @property
    def encoder(self) -> Encoder:
        """The model that answers searches, opened when it is first needed.

        Raises `BundleError` when it is not here, or damaged.
        """
        return self._models.encoder(self._models.searching())

    @property
    def network_drive(self) -> str | None:
        """The kind of network drive that the library folder is on; None on a disk of this machine.

        There it is safe too, but slower, and processes wait for one another at each write.
        """
        return network_drive(self.folder)

    @contextmanager
    def writing(self, *, wait: bool = False) -> Iterator[None]:
        """Keep other processes from changing the library meanwhile; they can read it.

        `index`, `forget`, `use_model` and `remove_model` do so themselves, and may be called
        inside.

        Raises `LibraryError` that names the process which is changing it now, or waits for that
        one with `wait`.
        """
        with ExitStack() as stack:
            with explained():
                stack.enter_context(self._lock.held(wait=wait))
            yield
