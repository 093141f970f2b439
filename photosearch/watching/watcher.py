"""Indexing what changes, as it changes."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from index.paths import is_within
from photosearch.elsewhere.addresses import is_address
from photosearch.indexing.events import Failed
from photosearch.indexing.scan import links
from photosearch.silent_drive import NoAnswerError, within
from photosearch.watching.addresses import Addresses
from photosearch.watching.looking import Looking
from photosearch.watching.mounts import unwatched
from photosearch.watching.notices import Notices

# A folder in which things go on happening is not waited for longer than so many quiet times.
_LONGEST = 10
# Whatever was missed, and whatever model is to come into use, is seen by a full run.
_FULL_SECONDS = 3600.0
_TICK = 0.5


@dataclass(frozen=True)
class Watching:
    """A folder, or an address, is watched from now on; by looking now and then where there is a
    `reason` to.

    The reason is the type of the file system, or why nobody can tell of changes.
    """

    folder: str
    reason: str | None


class Watcher:
    """Watches folders and addresses, and has what changes indexed.

    `folders` gives those to watch, which may become others, and `index` indexes whole ones, or
    with True only parts of them. `interval` is the seconds between two looks at a folder that must
    be looked at, which are all with `poll`; `address_interval`, at an address. What has changed is
    indexed when nothing more has happened in its folder for `quiet` seconds.
    """

    def __init__(
        self,
        folders: Callable[[], Sequence[str]],
        index: Callable[[Sequence[str], bool], Generator[Any, None, None]],
        *,
        poll: bool = False,
        interval: float = 30.0,
        address_interval: float = 300.0,
        quiet: float = 2.0,
    ) -> None:
        self._all, self._index = folders, index
        self._addresses = Addresses(address_interval)
        self._poll, self._interval, self._quiet = poll, interval, quiet
        self._told: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._places: dict[str, tuple[int, int] | None] = {}
        self._looks: dict[str, dict[str, Looking]] = {}
        self._due: dict[str, float] = {}
        self._linked: dict[str, list[str]] = {}
        self._said: set[Watching] = set()
        # Folder: when it changed first, and last.
        self._changed: dict[str, tuple[float, float]] = {}
        self._notices: Notices | None = None

    def events(self, stop: threading.Event | None = None) -> Generator[Any, None, None]:
        """Index everything once, and then what changes, until `stop`; what the runs report.

        Nothing that changes after the first folder is watched is missed.
        """
        self._notices = Notices(lambda root, folder: self._told.put((root, folder)))
        try:
            full = 0.0
            while stop is None or not stop.is_set():
                now = time.monotonic()
                if not full or now >= full + _FULL_SECONDS:
                    self._places.clear()  # links may have come, or watches been lost
                    yield from self._look_at_places(now)
                    self._changed.clear()
                    yield from self._run(self._folders(), parts=False)
                    full = time.monotonic()
                    continue
                yield from self._look_elsewhere()
                yield from self._look_at_places(now)
                self._look()
                settled = self._settled(now)
                if settled:
                    yield from self._run(settled, parts=True)
                self._listen()
        finally:
            self._notices.close()

    def _folders(self) -> list[str]:
        return [folder for folder in self._all() if not is_address(folder)]

    def _look_elsewhere(self) -> Iterator[Any]:
        """Index addresses at which something has changed: a whole one, as it is listed anyway."""
        known = [each for each in self._all() if is_address(each)]
        for address in self._addresses.keep(known, time.monotonic()):
            yield Watching(address, "servers tell of no changes")
        for address in self._addresses.to_index(time.monotonic()):
            whole = True
            for event in self._run([address], parts=False):
                failed = isinstance(event, Failed) and is_within(event.path, address)
                whole = whole and not failed
                yield event
            self._addresses.indexed(address, time.monotonic(), whole=whole)

    def _run(self, folders: Sequence[str], *, parts: bool) -> Iterator[Any]:
        if folders:
            with closing(self._index(folders, parts)) as run:
                yield from run

    def _look_at_places(self, now: float) -> Iterator[Watching]:
        """Watch folders that came, or came back; index those that were there before and went."""
        folders = self._folders()
        for folder in self._places.keys() - set(folders):
            self._leave(folder)
            del self._places[folder]
        for folder in folders:
            place = _identity(folder)
            if folder in self._places and self._places[folder] == place:
                continue
            if folder in self._places:
                self._note(folder, now - self._quiet)
            self._leave(folder)
            self._places[folder] = place
            if place is None:
                continue
            try:
                said = set(self._watch(folder))
            except NoAnswerError:
                self._leave(folder)
                self._places[folder] = None  # as if it were away, until it answers
                continue
            yield from sorted(said - self._said, key=lambda each: each.folder)
            self._said |= said

    def _watch(self, folder: str) -> Iterator[Watching]:
        assert self._notices is not None
        self._linked[folder] = links(folder)
        self._looks[folder] = {}
        around: list[str] = []
        for part in (folder, *self._linked[folder]):
            real = within(part, os.path.realpath, part)
            if any(f"{real}{os.sep}".startswith(place.rstrip(os.sep) + os.sep) for place in around):
                continue  # a link to what is watched by another name
            around.append(real)
            remote = {part: "--poll"} if self._poll else within(part, unwatched, part, real)
            if part not in remote:
                try:
                    self._notices.watch(part, real)
                except NoAnswerError:
                    raise
                except OSError as error:
                    remote = {part: error.strerror or str(error)}
            if part == folder:
                yield Watching(folder, remote.get(part))
            for place, reason in remote.items():
                if place != part:
                    yield Watching(place, reason)
                self._looks[folder][place] = looking = Looking(place)
                looking.changed()
        self._due[folder] = time.monotonic() + self._interval

    def _leave(self, folder: str) -> None:
        assert self._notices is not None
        for part in (folder, *self._linked.pop(folder, ())):
            self._notices.leave(part)
        self._looks.pop(folder, None)

    def _look(self) -> None:
        for folder, looks in self._looks.items():
            if looks and time.monotonic() >= self._due[folder]:
                for looking in looks.values():
                    for changed in looking.changed():
                        self._note(self._part(folder, changed), time.monotonic())
                self._due[folder] = time.monotonic() + self._interval

    def _listen(self) -> None:
        """Wait for something to happen, but no longer than a tick, and note all that has."""
        wait = True
        while True:
            try:
                root, changed = self._told.get(timeout=_TICK if wait else 0)
            except queue.Empty:
                return
            wait = False
            for folder, linked in self._linked.items():
                if root == folder or root in linked:
                    if changed != folder and changed not in linked and _is_link(changed):
                        self._places.pop(folder, None)  # a link to watch, too
                    self._note(self._part(folder, changed), time.monotonic())

    def _part(self, folder: str, changed: str) -> str:
        """What to look through: all of it where links lead around in it.

        A scan enters no folder twice, so what it finds by which name depends on where it starts.
        """
        return folder if self._linked.get(folder) or not _is_folder(folder) else changed

    def _note(self, folder: str, when: float) -> None:
        first, _ = self._changed.get(folder, (when, when))
        self._changed[folder] = first, when

    def _settled(self, now: float) -> list[str]:
        """Folders that have been quiet for long enough, without those inside of others."""
        settled = [
            folder
            for folder, (first, last) in self._changed.items()
            if now - last >= self._quiet or now - first >= self._quiet * _LONGEST
        ]
        for folder in settled:
            del self._changed[folder]
        return [
            folder
            for folder in sorted(settled)
            if not any(folder.startswith(other.rstrip(os.sep) + os.sep) for other in settled)
        ]


def _identity(path: str) -> tuple[int, int] | None:
    """By which one tells that another folder is at a path, as when a drive is mounted there."""
    try:
        status = within(os.path.join(path, ""), os.stat, path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_link(path: str) -> bool:
    try:
        return within(path, os.path.islink, path)
    except NoAnswerError:
        return False


def _is_folder(path: str) -> bool:
    try:
        return within(os.path.join(path, ""), os.path.isdir, path)
    except NoAnswerError:
        return True  # a picture by itself is seldom watched
