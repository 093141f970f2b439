"""The text that can be read in photos."""

from __future__ import annotations

from collections.abc import Collection, Generator
from typing import TYPE_CHECKING

from index import Catalogue, WriterLock
from photosearch.explaining import explaining
from photosearch.settings import Settings

if TYPE_CHECKING:
    from photosearch.ocr.run import ReadingEvent


@explaining
class Texts:
    """`library.texts`."""

    def __init__(self, catalogue: Catalogue, lock: WriterLock, settings: Settings) -> None:
        self._catalogue, self._lock, self._settings = catalogue, lock, settings

    def read(self, *, without: Collection[str] = ()) -> Generator[ReadingEvent, None, None]:
        """Look for text in the photos in which nobody has, so that searches find its words.

        What was reported is recorded, so closing the iterator early loses nothing reported. Paths
        in `without` are passed over: those that failed before, for whoever goes on soon.

        Raises `UsageError` without the extra `ocr`; `LibraryError` when the library cannot be
        written, also since another process is changing it.
        """
        from photosearch.indexing.limits import limits_by
        from photosearch.ocr.reader import TextReader, check_reader
        from photosearch.ocr.run import read_text

        check_reader()
        limits = limits_by(self._settings, 2)
        with self._lock.held():
            yield from read_text(self._catalogue, TextReader, limits, without)

    def unread(self) -> frozenset[int]:
        """Where nobody has looked for text: bytes of photos, by number. Raises `LibraryError`."""
        return frozenset(content for content, _ in self._catalogue.readings.unread())

    def of(self, photo_id: int) -> str | None:
        """The text that was read in a photo; None when nobody has looked. Raises `LibraryError`."""
        return self._catalogue.readings.of(photo_id)

    def counts(self) -> tuple[int, int]:
        """In how many photos text was looked for, and in how many found. Raises `LibraryError`."""
        return self._catalogue.readings.counts()
