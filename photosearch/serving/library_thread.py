"""The library on threads of its own, since SQLite's connections belong to one thread."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from index.shared.address import address_of
from photosearch.errors import LibraryError, PhotosearchError
from photosearch.fetching import MOMENT, NotYetError, fetched_now
from photosearch.library import Library
from photosearch.settings import library_folder

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
        folder = library_folder(path)
        # That of an archive's copy.
        self._folder = None if address_of(folder) is None else folder
        self._threads, self._most = threads, most
        self._pool = ThreadPoolExecutor(threads, "photosearch-library")
        self._local = threading.local()
        # Seconds of an answer, the latest above all.
        self._usual = 0.0
        # Only the event loop counts, so that no lock is needed.
        self.waiting = 0

    async def ask(self, question: Callable[[Library], T], *, admitted: bool = False) -> T:
        """What `question` gives, or raises, when it is put to the library.

        Raises `BusyError`, unless it is `admitted` as part of what was begun; `NotYetError`.
        """
        if self._most is not None and self.waiting >= self._most and not admitted:
            seconds = self.waiting * self._usual / self._threads
            raise BusyError(min(_LONGEST, max(1, math.ceil(seconds))))
        loop = asyncio.get_running_loop()
        if self._folder is None:
            self.waiting += 1
            try:
                return await loop.run_in_executor(self._pool, self._answer, question)
            finally:
                self.waiting -= 1
        self._check_fetched()
        self.waiting += 1
        answer = loop.run_in_executor(self._pool, self._answer, question)
        answer.add_done_callback(self._answered)
        # It goes on where nobody waits for it any more: by it something is fetched.
        while not (await asyncio.wait({answer}, timeout=MOMENT))[0]:
            self._check_fetched()
        return await answer

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        self.waiting -= 1
        if not answer.cancelled():
            answer.exception()  # whoever waits has it

    def _check_fetched(self) -> None:
        """Raises `NotYetError` while much of an archive is fetched."""
        told = None if self._folder is None else fetched_now(self._folder)
        if told is not None:
            raise NotYetError(told)

    def begin(self, question: Callable[[Library], object]) -> None:
        """Put a question to see what is wrong with the library, if anything.

        Where much of an archive has to be fetched first it is not waited for. Raises what the
        question does.
        """
        answer = self._pool.submit(self._answer, question)
        while not wait([answer], MOMENT).done:
            if self._folder is not None and fetched_now(self._folder) is not None:
                return
        answer.result()

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
