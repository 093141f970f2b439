"""What is fetched of archives just now, for whoever waits for it: commands, the page, the API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self, TypeVar

_T = TypeVar("_T")
Kind = Literal["copy", "putting", "changes", "upgrade", "waiting"]
# So often, at most, it is told how far it is: seconds, and rows.
_EVERY, _STEP = 0.2, 500


@dataclass(frozen=True)
class Fetching:
    """For the copy in `folder`: how many rows are `done` of all, where that is known.

    `kind` says of what: of the whole copy; of putting that in the place of what was there; of the
    changes since it was last brought up to date; of an upgrade of the archive's tables; or that
    another process on this machine is at one of these.
    `begun` is a time of `time.monotonic`.
    """

    folder: Path
    kind: Kind
    done: int = 0
    total: int | None = None
    begun: float = 0.0


Listener = Callable[[Fetching, bool], None]

_lock = threading.Lock()
_now: dict[int, Fetching] = {}
# Each is told of what goes on, and whether it has ended.
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """From now on it is told how far things are, by whatever thread is at it."""
    _listeners.append(listener)


def under_way(folder: Path) -> Fetching | None:
    """What has been going on for the longest time for the copy in a folder."""
    with _lock:
        found = [each for each in _now.values() if each.folder == folder]
    # Who waits is told of what is waited for, where that is in this process.
    return min(found, key=lambda each: (each.kind == "waiting", each.begun), default=None)


class Progress:
    """Tells of something for as long as it lasts. Use as a context manager."""

    def __init__(self, folder: Path, kind: Kind, total: int | None = None) -> None:
        self._is = Fetching(folder, kind, 0, total, time.monotonic())
        self._told = 0.0

    def __enter__(self) -> Self:
        self._tell()
        return self

    def __exit__(self, *_: object) -> None:
        with _lock:
            _now.pop(id(self), None)
        for listener in _listeners:
            listener(self._is, True)

    def rows(self, rows: Iterable[_T]) -> Iterator[_T]:
        """The same rows, counted as they pass."""
        passed = 0
        for row in rows:
            yield row
            passed += 1
            if passed == _STEP:
                self.add(passed)
                passed = 0
        self.add(passed)

    def add(self, rows: int) -> None:
        self._is = replace(self._is, done=self._is.done + rows)
        self.still()

    def expect(self, total: int, done: int) -> None:
        """There are so many in all, of which some are here from before."""
        self._is = replace(self._is, total=total, done=done)
        self._tell()

    def still(self) -> None:
        """It goes on."""
        self._note()
        if time.monotonic() - self._told >= _EVERY:
            self._tell()

    def _note(self) -> None:
        with _lock:
            _now[id(self)] = self._is

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._note()
        for listener in _listeners:
            listener(self._is, False)
