"""Being told by the system which folders have changed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from photosearch.indexing.ignore import NAME as IGNORE_FILE
from photosearch.indexing.scan import comes_by, is_looked_at


class Notices:
    """Tells `changed` of each folder in which a picture or a folder came, changed or went.

    `changed` is called from other threads, with the watched folder and the changed one. What
    happens to files that no run looks at is not told.
    """

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        from watchdog.observers import Observer

        # A new folder may come to it twice, by its parent and by looking through that. It then says
        # so where users would read it, and goes on as it should.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        self._changed = changed
        self._observer = Observer()
        self._observer.start()
        self._watches: dict[str, Any] = {}

    def watch(self, folder: str, real: str) -> None:
        """Begin to watch a folder, or a single picture; again if it was watched.

        `real` is where it is, without links: the system is asked not to follow any.

        Raises `OSError` when the system cannot.
        """
        from watchdog import events

        self.leave(folder)
        told = self._changed

        class Handler(events.FileSystemEventHandler):
            def on_any_event(self, event: events.FileSystemEvent) -> None:
                for path in (event.src_path, event.dest_path):
                    place = _folder_of(real, str(path), event.is_directory)
                    if place is not None:
                        told(folder, _as_watched(folder, real, place))

        self._watches[folder] = self._observer.schedule(
            Handler(),
            real,
            recursive=os.path.isdir(real),
            # Not of files that are only read, as by each index run.
            event_filter=[
                events.FileCreatedEvent,
                events.FileModifiedEvent,
                events.FileAttribEvent,
                events.FileClosedEvent,
                events.FileDeletedEvent,
                events.FileMovedEvent,
                events.DirCreatedEvent,
                events.DirDeletedEvent,
                events.DirMovedEvent,
            ],
        )

    def leave(self, folder: str) -> None:
        """Watch a folder no more."""
        watch = self._watches.pop(folder, None)
        if watch is not None:
            with suppress(KeyError):  # it stopped by itself when its folder went
                self._observer.unschedule(watch)

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


def _as_watched(folder: str, real: str, place: str) -> str:
    """`place`, which is `real` or below, by way of the watched `folder`, a link to `real`."""
    # A drive, and the root of all, end with the separator that others lack.
    below = place[len(real) :].lstrip(os.sep)
    return os.path.join(folder, below) if below else folder


def _folder_of(root: str, path: str, is_folder: bool) -> str | None:
    """The folder to look through because of what happened to `path`; None when no run would."""
    if path == root:
        return root
    name = os.path.basename(path)
    place = path
    if name == IGNORE_FILE:
        place = os.path.dirname(path)
    elif not is_folder and not is_looked_at(name):
        if os.path.isdir(path):
            is_folder = True  # by way of a link
        elif os.path.splitext(name)[1]:
            return None
        # else it may have been a link to a folder, and be gone
    if not comes_by(root, place):
        return None
    return path if is_folder else os.path.dirname(path)
