"""Index runs in the background, and how far they are; watching between them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from photosearch.errors import PhotosearchError
from photosearch.indexing.events import (
    Absent,
    Event,
    Failed,
    Finished,
    Indexed,
    Kept,
    OnBattery,
    Rebuilding,
    Recognised,
    Reencoded,
    Started,
    Switched,
)
from photosearch.library import Library
from photosearch.ui.switches import Switches

# The rate is that of the last so many seconds: it changes with the drive and the photos.
_WINDOW = 20.0
_SHOWN_PROBLEMS = 200
_SWITCH = "watch"
# Seconds until watching is tried again after it has failed.
_AGAIN = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    `state` is "idle", "scanning", "waiting" (for mains power), "indexing", "encoding" (by another
    model), "done", "stopped" or "failed". `rate` is photos a second, `seconds_left` None while it
    cannot be told, `problems` the last ones, with reasons, `absent` the folders that were not
    there, with how many photos are hidden for that, and `error` why it failed. `model` is the one
    that encodes, and `news` what became of the change of model: "switched" or "kept". `watching`
    tells that what changes between runs is indexed, too.
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
    absent: tuple[tuple[str, int], ...] = ()
    error: str | None = None
    model: str | None = None
    news: str | None = None
    watching: bool = False

    @property
    def running(self) -> bool:
        return self.state in ("scanning", "waiting", "indexing", "encoding")


@dataclass
class _Pace:
    """Files done in the last seconds."""

    marks: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, now: float, done: int) -> float:
        if self.marks and done < self.marks[-1][1]:
            self.marks.clear()  # another count has begun
        self.marks.append((now, done))
        while len(self.marks) > 2 and now - self.marks[0][0] > _WINDOW:
            self.marks.popleft()
        (before, had), (after, has) = self.marks[0], self.marks[-1]
        return (has - had) / (after - before) if after > before else 0.0


class IndexJob:
    """One run at a time, on a thread with a library of its own. Safe to ask from any thread.

    What else changes the library in the background stands still in `alone`.
    """

    def __init__(
        self,
        path: Path,
        model: str | os.PathLike[str] | None,
        switches: Switches,
        alone: Callable[[], AbstractContextManager[None]] = nullcontext,
        *,
        workers: int | None = None,
    ) -> None:
        self._path, self._model, self._workers = path, model, workers
        self._switches, self._alone = switches, alone
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._closing = False
        self._progress = Progress(watching=switches[_SWITCH])
        self._watcher: threading.Thread | None = None
        self._unwatch = threading.Event()
        if self._progress.watching:
            self._begin_to_watch()

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
            self._progress = Progress(state="scanning", watching=self._progress.watching)
            self._thread = threading.Thread(
                target=self._run, args=(tuple(folders), retry), name="photosearch-index"
            )
            self._thread.start()
        return True

    def stop(self, *, wait: bool = False) -> None:
        """End the run at the next chance; what is done is kept. With `wait` nothing goes on."""
        self._stop.set()
        thread = self._thread
        if wait:
            self._closing = True
            if thread is not None:
                thread.join()
            self._end_watching()

    def watch(self, on: bool) -> None:
        """Index what changes between runs as it changes, or no longer; it is remembered."""
        self._change(watching=on)
        self._switches[_SWITCH] = on
        if not on:
            self._end_watching()
        elif not self.progress.running:
            self._begin_to_watch()

    # Watching

    def _begin_to_watch(self) -> None:
        with self._lock:
            if self._closing or (self._watcher is not None and self._watcher.is_alive()):
                return
            self._unwatch = threading.Event()
            self._watcher = threading.Thread(
                target=self._watch, args=(self._unwatch,), name="photosearch-watch"
            )
            self._watcher.start()

    def _end_watching(self) -> None:
        self._unwatch.set()
        watcher = self._watcher
        if watcher is not None:
            watcher.join()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            # Without a folder there is nothing to watch yet, and a drive may come back.
            try:
                self._watch_once(stop)
            except PhotosearchError:
                _log.debug("folders cannot be watched now", exc_info=True)
            except Exception:
                _log.exception("watching ended unexpectedly, and is tried again")
            stop.wait(_AGAIN)

    def _watch_once(self, stop: threading.Event) -> None:
        with (
            Library.open(self._path, model=self._model, new=False) as library,
            closing(library.watch(workers=self._workers, stop=stop)) as events,
        ):
            for _ in events:
                if stop.is_set():
                    return

    # A run

    def _run(self, folders: Sequence[str], retry: bool) -> None:
        # One at a time changes a library.
        self._end_watching()
        try:
            with self._alone(), Library.open(self._path, model=self._model, new=False) as library:
                run = library.index(folders, workers=self._workers, retry=retry, stop=self._stop)
                with closing(run) as events:
                    self._follow(events)
        except PhotosearchError as error:
            _log.debug("the index run failed", exc_info=True)
            self._change(state="failed", error=str(error))
        except Exception as error:
            _log.exception("the index run ended unexpectedly")
            self._change(state="failed", error=f"{type(error).__name__}: {error}")
        finally:
            if self.progress.watching:
                self._begin_to_watch()

    def _follow(self, events: Iterable[Event]) -> None:
        pace = _Pace()
        started = time.monotonic()
        for event in events:
            self._note(event)
            progress = self.progress
            now = time.monotonic()
            rate = pace.rate(now, progress.done)
            left = progress.total - progress.done
            self._change(
                rate=rate,
                seconds=now - started,
                seconds_left=left / rate if rate > 0 else None,
            )
            if self._stop.is_set():
                break
        state = "stopped" if self._stop.is_set() else "done"
        self._change(state=state, seconds_left=None)

    def _note(self, event: Event) -> None:
        """Take an event in."""
        now = self.progress
        match event:
            case OnBattery():
                self._change(state="waiting")
            case Started(total, unchanged, problems):
                left = total - unchanged - problems
                self._change(state="indexing", total=left, done=0, unchanged=unchanged)
            case Indexed(paths) | Recognised(paths):
                self._change(indexed=now.indexed + len(paths), done=now.done + len(paths))
            case Failed(path, reason):
                problems_now = (*now.problems, (path, reason))[-_SHOWN_PROBLEMS:]
                self._change(failed=now.failed + 1, done=now.done + 1, problems=problems_now)
            case Absent(folder, hidden):
                self._change(absent=(*now.absent, (folder, hidden)))
            case Rebuilding(model, total):
                self._change(state="encoding", model=model, total=total, done=0)
            case Reencoded(paths):
                self._change(done=now.done + len(paths))
            case Switched(model, _):
                self._change(model=model, news="switched")
            case Kept(model, _):
                self._change(model=model, news="kept")
            case Finished():
                self._change(seconds=event.seconds)

    def _change(self, **values: object) -> None:
        with self._lock:
            self._progress = replace(self._progress, **values)  # type: ignore[arg-type]
