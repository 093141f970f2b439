"""Text in photos, read in the background while nothing else changes the library."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from photosearch.errors import PhotosearchError
from photosearch.library import Library
from photosearch.ocr.reader import check_reader
from photosearch.ocr.run import ReadingEvent, ReadingStarted, TextFailed, TextRead
from photosearch.ui.background import BackgroundProcess
from photosearch.ui.switches import Switches

_SWITCH = "read_text"
# Seconds of reading, and then of leaving the library to whoever waits to change it.
_SLICE = 20.0
_GAP = 1.0
# Seconds between two looks for photos that have come.
_AGAIN = 30.0


@dataclass(frozen=True)
class Reading:
    """How far reading is: `done` of `left` photos since it began, `failed` of them in vain.

    `on`: it is to be done. `running`: it is being done now. `error`: why it cannot be.
    """

    on: bool = False
    running: bool = False
    done: int = 0
    left: int = 0
    failed: int = 0
    error: str | None = None


class Readings:
    """Reads what has not been read, as long as it is switched on. Safe to ask from any thread."""

    def __init__(self, library: Path, switches: Switches) -> None:
        self._library, self._switches = library, switches
        self._lock = threading.Lock()
        self._now = Reading(on=switches[_SWITCH])
        self._process = BackgroundProcess(self._note)
        # Taken to begin and to end, so that nothing begins while somebody wants it ended.
        self._turn = threading.Lock()
        self._paused = 0
        self._closed = threading.Event()
        self._poke = threading.Event()
        # Photos that were unread when reading last came to its end: those that cannot be read.
        self._hopeless = 0
        self._thread: threading.Thread | None = None
        if self._now.on:
            self._begin()

    @property
    def now(self) -> Reading:
        with self._lock:
            return self._now

    def switch(self, on: bool) -> None:
        """Read, also what comes later, or no longer; it is remembered.

        Raises `UsageError` without the extra.
        """
        if on:
            check_reader()
        self._switches[_SWITCH] = on
        with self._lock:
            self._now = Reading(on=on)
            self._hopeless = 0
        if on:
            self._begin()
        else:
            self._halt()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is read meanwhile, so that the library can be changed at once."""
        with self._turn:
            self._paused += 1
        self._halt()
        try:
            yield
        finally:
            with self._turn:
                self._paused -= 1
            self._poke.set()

    def close(self) -> None:
        self._closed.set()
        self._poke.set()
        if self._thread is not None:
            self._thread.join()
        self._halt()

    def _halt(self) -> None:
        with self._turn:
            self._process.end()
        with self._lock:
            self._now = replace(self._now, running=False)

    def _begin(self) -> None:
        self._poke.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="photosearch-reading")
            self._thread.start()

    def _look(self) -> None:
        """Start reading whenever it is wanted and there is something to read."""
        while not self._closed.is_set():
            self._poke.clear()
            if self._wanted():
                self._start()
            self._poke.wait(_AGAIN)

    def _wanted(self) -> bool:
        with self._lock:
            if not self._now.on or self._now.running:
                return False
            hopeless = self._hopeless
        try:
            return _unread(self._library) > hopeless
        except PhotosearchError:
            return False

    def _start(self) -> None:
        with self._turn:
            with self._lock:
                if self._paused or not self._now.on:
                    return
                self._now = Reading(on=True, running=True)
            self._process.start(_read, self._library)

    def _note(self, told: ReadingEvent | PhotosearchError | None) -> None:
        with self._lock:
            now = self._now
            match told:
                case ReadingStarted(photos):
                    self._now = replace(now, left=now.done + photos)
                case TextRead(photos):
                    self._now = replace(now, done=now.done + len(photos))
                case TextFailed():
                    self._now = replace(now, failed=now.failed + 1)
                case PhotosearchError():
                    self._now = replace(now, running=False, error=str(told))
                case None:
                    self._now = replace(now, running=False)
        if told is None:
            hopeless = _unread(self._library)
            with self._lock:
                self._hopeless = hopeless


def _unread(library: Path) -> int:
    with Library.open(library, readonly=True) as opened:
        return opened.status().photos - opened.texts.counts()[0]


def _read(tell: Callable[[ReadingEvent], None], library: Path) -> None:
    """Read in slices, each of which holds the library for itself, until nothing is left."""
    if hasattr(os, "nice"):
        os.nice(10)  # whoever searches meanwhile must not wait
    with Library.open(library, new=False) as opened:
        while True:
            until = time.monotonic() + _SLICE
            with opened.writing(wait=True), closing(opened.texts.read()) as events:
                for event in events:
                    tell(event)
                    if time.monotonic() > until:
                        break
                else:
                    return
            time.sleep(_GAP)
