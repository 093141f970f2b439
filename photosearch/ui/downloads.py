"""Models downloaded in the background, in a process of their own.

The server itself is told never to go online; and what fetches and converts can be ended at any
moment, for what is there is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from photosearch.errors import PhotosearchError
from photosearch.library import Library
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offers import check_licence, find_offer
from photosearch.pulling.run import Converting, Downloading, Pulled, PullEvent
from photosearch.ui.background import BackgroundProcess

# Seconds between two reports of the process.
_EVERY = 0.2


@dataclass(frozen=True)
class Download:
    """How far a download is: `done` of `total` bytes, then `seconds` of converting.

    `model` is its name, `id` that of the model that came of it, and `error` why none did.
    """

    state: Literal["idle", "asking", "loading", "converting", "done", "stopped", "failed"] = "idle"
    model: str | None = None
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    id: str | None = None
    error: str | None = None

    @property
    def running(self) -> bool:
        return self.state in ("asking", "loading", "converting")


class Downloads:
    """One download at a time. Safe to ask from any thread."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._now = Download()
        self._process = BackgroundProcess(self._note)

    @property
    def now(self) -> Download:
        with self._lock:
            return self._now

    def start(self, name: str, licence: str | None) -> bool:
        """Begin to download an offered model; False if another one is being downloaded.

        Raises `UsageError` when there is none of this name, its licence is not accepted, or it
        takes the trainer and that is not installed.
        """
        offer = find_offer(name)
        check_licence(offer, licence)
        if offer.converted:
            check_trainer()
        with self._lock:
            if self._now.running:
                return False
            self._now = Download("asking", offer.name)
        self._process.start(_download, self._library, offer.name, licence)
        return True

    def stop(self) -> None:
        """End the download; what has come is kept, and the next one goes on from there."""
        with self._lock:
            if self._now.running:
                self._now = replace(self._now, state="stopped")
        self._process.end()

    def _note(self, told: PullEvent | PhotosearchError | None) -> None:
        with self._lock:
            now = self._now
            if not now.running:
                return
            match told:
                case Downloading(_, done, total):
                    self._now = replace(now, state="loading", done=done, total=total)
                case Converting(_, seconds):
                    self._now = replace(now, state="converting", seconds=seconds)
                case Pulled(_, bundle_id, _):
                    self._now = replace(now, state="done", id=bundle_id)
                case PhotosearchError():
                    self._now = replace(now, state="failed", error=str(told))
                case None:
                    error = "the download ended without a word; try again"
                    self._now = replace(now, state="failed", error=error)


def _download(
    tell: Callable[[PullEvent], None], library: Path, name: str, licence: str | None
) -> None:
    told = 0.0
    with (
        Library.open(library, new=False) as opened,
        closing(opened.models.pull(name, accept_licence=licence)) as events,
    ):
        for event in events:
            if isinstance(event, Pulled) or time.monotonic() - told >= _EVERY:
                tell(event)
                told = time.monotonic()
