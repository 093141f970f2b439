"""The names of a library while it changes: read again now and then, and nobody waits for that."""

from __future__ import annotations

import logging
import threading
import time

from index import Catalogue, CatalogueError
from photosearch.search.tally import Tally

# A library that changes all the time is read anew only after this many times what that takes.
_REST = 20
# Seconds for which who types waits; what takes longer is read beside.
_SHORT = 0.1
# Seconds between two tries to end it.
_ENDING = 0.05
_log = logging.getLogger(__name__)


class Tallies:
    """Of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._tally: tuple[tuple[int, int], Tally] | None = None
        self._took, self._again = 0.0, 0.0
        self._reading: threading.Thread | None = None
        self._beside: Catalogue | None = None
        self._closed = False

    def now(self) -> Tally:
        """The names, as they are, or were a little while ago. Raises `CatalogueError`."""
        edition = self._catalogue.selection.edition
        known = self._tally
        if known is None:
            return self._read(self._catalogue, edition)
        if known[0] == edition or time.monotonic() < self._again or self._is_reading:
            return known[1]
        # Of an archive there is one copy here, which one connection brings up to date.
        if self._took <= _SHORT or self._catalogue.address is not None:
            return self._read(self._catalogue, edition)
        self._reading = threading.Thread(
            target=self._read_beside, args=[edition], name="photosearch-names", daemon=True
        )
        self._reading.start()
        return known[1]

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and self._reading.is_alive()

    def _read(self, catalogue: Catalogue, edition: tuple[int, int]) -> Tally:
        began = time.monotonic()
        tally = Tally.of(catalogue)
        self._tally = edition, tally
        self._rest(began)
        return tally

    def _rest(self, began: float) -> None:
        now = time.monotonic()
        self._took = now - began
        self._again = now + _REST * self._took

    def _read_beside(self, edition: tuple[int, int]) -> None:
        """By a connection of its own, which belongs to this thread."""
        began = time.monotonic()
        try:
            with self._catalogue.beside() as beside:
                self._beside = beside
                if not self._closed:
                    self._read(beside, edition)
        except CatalogueError as error:
            # The next search that cannot be answered says so.
            self._rest(began)
            if not self._closed:
                _log.debug("names were not read again: %s", error)
        finally:
            self._beside = None

    def close(self) -> None:
        """End what is being read."""
        self._closed = True
        while self._reading is not None and self._reading.is_alive():
            if (beside := self._beside) is not None:
                beside.interrupt()
            self._reading.join(_ENDING)
