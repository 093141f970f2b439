"""Models downloaded in the background, in a process of their own.

The server itself is told never to go online; and what fetches and converts can be ended at any
moment, for what is there is kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from photosearch.errors import PhotosearchError
from photosearch.library import Library
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offers import check_licence, find_offer
from photosearch.pulling.run import Converting, Downloading, Pulled, PullEvent

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
        self._thread: threading.Thread | None = None
        self._process: Any = None

    @property
    def now(self) -> Download:
        with self._lock:
            return self._now

    def start(self, name: str, licence: str | None) -> bool:
        """Begin to download an offered model; False if another one is being downloaded.

        Raises `UsageError` when there is none of this name, its licence is not accepted, or the
        trainer is not installed.
        """
        offer = find_offer(name)
        check_licence(offer, licence)
        check_trainer()
        with self._lock:
            if self._now.running:
                return False
            self._now = Download("asking", offer.name)
            # Fork would copy the server's threads' locks; a spawned process starts clean.
            spawned = multiprocessing.get_context("spawn")
            ours, theirs = spawned.Pipe(duplex=False)
            self._process = spawned.Process(
                target=_download, args=(theirs, self._library, offer.name, licence), daemon=True
            )
            self._process.start()
            # With only the process holding its end, its death shows as end of file here.
            theirs.close()
            self._thread = threading.Thread(
                target=self._follow, args=(ours, self._process), name="photosearch-download"
            )
            self._thread.start()
        return True

    def stop(self, *, wait: bool = False) -> None:
        """End the download; what has come is kept, and the next one goes on from there."""
        with self._lock:
            if self._now.running:
                self._now = replace(self._now, state="stopped")
                self._process.kill()
        if wait and self._thread is not None:
            self._thread.join()

    def _follow(self, pipe: Connection, process: Any) -> None:
        with pipe, suppress(EOFError, OSError):
            while True:
                self._note(pipe.recv())
        with self._lock:
            if self._now.running:
                self._now = replace(
                    self._now, state="failed", error="the download ended without a word; try again"
                )
        process.join()
        process.close()

    def _note(self, told: PullEvent | str) -> None:
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
                case str():
                    self._now = replace(now, state="failed", error=told)


def _download(pipe: Connection, library: Path, name: str, licence: str | None) -> None:
    """The life of the process: events, and at the end the reason when there is no model."""
    # Ctrl-C reaches the whole group; the server decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Which the server sets for itself.
    os.environ.pop("HF_HUB_OFFLINE", None)
    told = 0.0
    try:
        with (
            Library.open(library) as opened,
            closing(opened.pull_model(name, accept_licence=licence)) as events,
        ):
            for event in events:
                if isinstance(event, Pulled) or time.monotonic() - told >= _EVERY:
                    pipe.send(event)
                    told = time.monotonic()
    except PhotosearchError as error:
        pipe.send(str(error))
    except OSError:
        return  # the server is gone
