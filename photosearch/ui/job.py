"""An index run in the background, and how far it is."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from photosearch.errors import PhotosearchError
from photosearch.indexing.events import (
    Absent,
    Event,
    Failed,
    Finished,
    Indexed,
    Paired,
    Recognised,
    Started,
)
from photosearch.library import Library

# The rate is that of the last so many seconds: it changes with the drive and the photos.
_WINDOW = 20.0
_SHOWN_PROBLEMS = 200


@dataclass(frozen=True)
class Progress:
    """How far a run is. `state` is "idle", "scanning", "indexing", "done", "stopped" or "failed".

    `rate` is photos a second, `seconds_left` None while it cannot be told, `problems` the last
    ones, with reasons, and `error` why it failed.
    """

    state: str = "idle"
    total: int = 0
    done: int = 0
    indexed: int = 0
    unchanged: int = 0
    failed: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    seconds: float = 0.0
    problems: tuple[tuple[str, str], ...] = ()
    error: str | None = None

    @property
    def running(self) -> bool:
        return self.state in ("scanning", "indexing")


@dataclass
class _Pace:
    """Files done in the last seconds."""

    marks: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, now: float, done: int) -> float:
        self.marks.append((now, done))
        while len(self.marks) > 2 and now - self.marks[0][0] > _WINDOW:
            self.marks.popleft()
        (before, had), (after, has) = self.marks[0], self.marks[-1]
        return (has - had) / (after - before) if after > before else 0.0


class IndexJob:
    """One run at a time, on a thread with a library of its own. Safe to ask from any thread."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        model: str | os.PathLike[str] | None,
        *,
        workers: int | None = None,
    ) -> None:
        self._path, self._model, self._workers = path, model, workers
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        with self._lock:
            return self._progress

    def start(self, folders: Sequence[str], *, retry: bool = False) -> bool:
        """Begin a run over `folders`, all known ones when there are none; False if one goes on."""
        with self._lock:
            if self._progress.running:
                return False
            self._stop.clear()
            self._progress = Progress(state="scanning")
            self._thread = threading.Thread(
                target=self._run, args=(tuple(folders), retry), name="photosearch-index"
            )
            self._thread.start()
        return True

    def stop(self, *, wait: bool = False) -> None:
        """End the run at the next chance; what is done is kept."""
        self._stop.set()
        thread = self._thread
        if wait and thread is not None:
            thread.join()

    def _run(self, folders: Sequence[str], retry: bool) -> None:
        try:
            with Library.open(self._path, model=self._model) as library:
                run = library.index(folders, workers=self._workers, retry=retry)
                with closing(run) as events:
                    self._follow(events)
        except PhotosearchError as error:
            self._change(state="failed", error=str(error))
        except BaseException as error:
            self._change(state="failed", error=f"{type(error).__name__}: {error}")
            raise

    def _follow(self, events: Iterable[Event]) -> None:
        pace = _Pace()
        started = time.monotonic()
        done = 0
        for event in events:
            done += self._note(event)
            now = time.monotonic()
            rate = pace.rate(now, done)
            left = self.progress.total - done
            self._change(
                done=done,
                rate=rate,
                seconds=now - started,
                seconds_left=left / rate if rate > 0 else None,
            )
            if self._stop.is_set():
                self._change(state="stopped", seconds_left=None)
                return
        self._change(state="done", seconds_left=None)

    def _note(self, event: Event) -> int:
        """Take an event in; how many files it is about."""
        now = self.progress
        if isinstance(event, Started):
            total = event.total - event.unchanged - event.problems
            self._change(state="indexing", total=total, unchanged=event.unchanged)
        elif isinstance(event, (Indexed, Recognised)):
            self._change(indexed=now.indexed + len(event.paths))
            return len(event.paths)
        elif isinstance(event, Paired):
            return len(event.paths)
        elif isinstance(event, Failed):
            problems = (*now.problems, (event.path, event.reason))[-_SHOWN_PROBLEMS:]
            self._change(failed=now.failed + 1, problems=problems)
            return 1
        elif isinstance(event, Absent):
            reason = f"is not there now; {event.hidden} photos hidden"
            self._change(problems=(*now.problems, (event.folder, reason)))
        elif isinstance(event, Finished):
            self._change(seconds=event.seconds)
        return 0

    def _change(self, **values: object) -> None:
        with self._lock:
            self._progress = replace(self._progress, **values)  # type: ignore[arg-type]
