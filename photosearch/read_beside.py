"""What takes long to read of a library that changes: read again now and then, and nobody waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from index import Catalogue, CatalogueError

# Seconds of work for which who asks waits; what takes longer is read beside, and of a library that
# changes all the time only after so many times what that takes.
_SHORT, _REST = 0.05, 20
# Seconds between two tries to end it.
_ENDING = 0.05
_log = logging.getLogger(__name__)
T = TypeVar("T")


class ReadBeside(Generic[T]):
    """What `read` gives of one catalogue, as it is or, where that takes long, lately was."""

    def __init__(self, catalogue: Catalogue, read: Callable[[Catalogue], T]) -> None:
        self._catalogue, self._of = catalogue, read
        self._known: tuple[tuple[int, int], T] | None = None
        self._took, self._again = 0.0, 0.0
        self._reading: threading.Thread | None = None
        self._beside: Catalogue | None = None
        self._closed = False
        catalogue.before_close(self._end)

    def now(self) -> T:
        """Raises `CatalogueError`."""
        edition = self._catalogue.selection.edition
        known = self._known
        if known is None:
            return self._read(self._catalogue, edition)
        if known[0] == edition:
            return known[1]
        if self._took <= _SHORT:
            return self._read(self._catalogue, edition)
        is_reading = self._reading is not None and self._reading.is_alive()
        if is_reading or time.monotonic() < self._again:
            return known[1]
        # Of an archive there is one copy here, which one connection brings up to date.
        if self._catalogue.address is not None:
            return self._read(self._catalogue, edition)
        self._reading = threading.Thread(
            target=self._read_beside, args=[edition], name="photosearch-beside", daemon=True
        )
        self._reading.start()
        return known[1]

    def _read(self, catalogue: Catalogue, edition: tuple[int, int]) -> T:
        # By its work, and not by the clock: others may be busy.
        began = time.thread_time()
        found = self._of(catalogue)
        self._known = edition, found
        self._rest(time.thread_time() - began)
        return found

    def _rest(self, took: float) -> None:
        self._took, self._again = took, time.monotonic() + _REST * took

    def _read_beside(self, edition: tuple[int, int]) -> None:
        """By a connection of its own, which belongs to this thread."""
        try:
            with self._catalogue.beside() as beside:
                self._beside = beside
                if not self._closed:
                    self._read(beside, edition)
        except CatalogueError as error:
            # Whoever asks for something else is told.
            self._rest(self._took)
            if not self._closed:
                _log.debug("what had changed was not read again: %s", error)
        finally:
            self._beside = None

    def _end(self) -> None:
        """End what is being read."""
        self._closed = True
        while self._reading is not None and self._reading.is_alive():
            if (beside := self._beside) is not None:
                beside.interrupt()
            self._reading.join(_ENDING)
