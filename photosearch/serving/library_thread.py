"""The library on threads of its own, since SQLite's connections belong to one thread."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from photosearch.errors import LibraryError, PhotosearchError
from photosearch.library import Library

# Seconds between two tries to write where that could not be done.
_AGAIN = 10.0
# How often something is read that is written under our hands.
_TRIES = 3
# Seconds after which who was refused may ask again, at most.
_LONGEST = 60
T = TypeVar("T")


class BusyError(PhotosearchError):
    """So many questions wait already that nobody would wait for another to be answered.

    In so many `seconds` those are answered.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__("too many wait for an answer; ask again in a moment")
        self.seconds = seconds


class LibraryThread:
    """Does what it is handed, one at a time, with a library that it opens when first needed.

    With more `threads` so many things at a time, each with a library of its own. At `most` so many
    questions may wait, where that is given. Without `faces` nothing that was found out about faces
    is told.

    With `readonly` it is never opened to be written: a replica, which another process brings up to
    date, in place or by putting another in its place.

    With `new` a library that does not exist yet is made, as the first index run would. One that is
    deleted meanwhile, or moved away, is an error and never made anew; another that is put in its
    place is opened. One that cannot be written, as on a full disk, is read until it can be again.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        model: str | os.PathLike[str] | None,
        *,
        new: bool = False,
        readonly: bool = False,
        threads: int = 1,
        most: int | None = None,
        faces: bool = True,
    ) -> None:
        self._faces, self._readonly = faces, readonly
        self._path, self._model, self._new = path, model, new
        self._threads, self._most = threads, most
        self._pool = ThreadPoolExecutor(threads, "photosearch-library")
        self._local = threading.local()
        # Seconds of an answer, the latest above all.
        self._usual = 0.0
        # Only the event loop counts, so that no lock is needed.
        self.waiting = 0

    async def ask(self, question: Callable[[Library], T], *, admitted: bool = False) -> T:
        """What `question` gives, or raises, when it is put to the library.

        Raises `BusyError`, unless it is `admitted` as part of what was begun.
        """
        if self._most is not None and self.waiting >= self._most and not admitted:
            wait = self.waiting * self._usual / self._threads
            raise BusyError(min(_LONGEST, max(1, math.ceil(wait))))
        loop = asyncio.get_running_loop()
        self.waiting += 1
        try:
            return await loop.run_in_executor(self._pool, self._answer, question)
        finally:
            self.waiting -= 1

    def ask_now(self, question: Callable[[Library], T]) -> T:
        """As `ask`, for a caller that may wait."""
        return self._pool.submit(self._answer, question).result()

    def _answer(self, question: Callable[[Library], T]) -> T:
        for left in range(_TRIES - 1, -1, -1):
            library = self._current()
            begun = time.monotonic()
            try:
                answer = question(library)
                self._usual += (time.monotonic() - begun - self._usual) / 20
                return answer
            except LibraryError:
                # Where it cannot be told that others read, it may be written under our hands. What
                # is half of what was is no answer; and to ask again changes nothing.
                if not left or not library.readonly or library.is_current:
                    raise
        raise AssertionError

    def _current(self) -> Library:
        """The library of this thread as it is now."""
        library: Library | None = getattr(self._local, "library", None)
        if library is not None and (not library.is_current or self._is_writable_again(library)):
            library.close()
            library = self._local.library = None
        if library is None:
            library = self._opened()
            self._local.library = library
            if not self._faces:
                library.faces.keep_back()
            self._new, self._local.tried = False, time.monotonic()
        return library

    def _opened(self) -> Library:
        if self._readonly:
            return Library.open(self._path, model=self._model, readonly=True)
        return Library.open_to_read(self._path, model=self._model, new=self._new)

    def _is_writable_again(self, library: Library) -> bool:
        if self._readonly or not library.readonly or time.monotonic() < self._local.tried + _AGAIN:
            return False
        self._local.tried = time.monotonic()
        return Library.can_be_written(library.folder)

    def close(self) -> None:
        # Each thread closes its own, and none does so twice in another's place.
        together = threading.Barrier(self._threads)

        def put_away() -> None:
            together.wait()
            library: Library | None = getattr(self._local, "library", None)
            if library is not None:
                library.close()

        for each in [self._pool.submit(put_away) for _ in range(self._threads)]:
            each.result()
        self._pool.shutdown()
