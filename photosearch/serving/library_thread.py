"""The library on a thread of its own, since SQLite's connections belong to one thread."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from photosearch.library import Library

# Seconds between two tries to write where that could not be done.
_AGAIN = 10.0
T = TypeVar("T")


class LibraryThread:
    """Does what it is handed, one at a time, with a library that it opens when first needed.

    Without `faces` nothing that was found out about faces is told.

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
        faces: bool = True,
    ) -> None:
        self._faces = faces
        self._path, self._model, self._new = path, model, new
        self._thread = ThreadPoolExecutor(1, "photosearch-library")
        self._local = threading.local()
        self._tried = 0.0

    async def ask(self, question: Callable[[Library], T]) -> T:
        """What `question` gives, or raises, when it is put to the library."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._answer, question)

    def ask_now(self, question: Callable[[Library], T]) -> T:
        """As `ask`, for a caller that may wait."""
        return self._thread.submit(self._answer, question).result()

    def _answer(self, question: Callable[[Library], T]) -> T:
        library: Library | None = getattr(self._local, "library", None)
        if library is not None and (not library.is_current or self._is_writable_again(library)):
            library.close()
            library = self._local.library = None
        if library is None:
            library = Library.open_to_read(self._path, model=self._model, new=self._new)
            self._local.library = library
            if not self._faces:
                library.faces.keep_back()
            self._new, self._tried = False, time.monotonic()
        return question(library)

    def _is_writable_again(self, library: Library) -> bool:
        if not library.readonly or time.monotonic() < self._tried + _AGAIN:
            return False
        self._tried = time.monotonic()
        return Library.can_be_written(library.folder)

    def close(self) -> None:
        def put_away() -> None:
            library: Library | None = getattr(self._local, "library", None)
            if library is not None:
                library.close()

        self._thread.submit(put_away).result()
        self._thread.shutdown()
