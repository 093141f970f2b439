"""Being told by the system which folders have changed."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from photosearch.indexing.ignore import NAME as IGNORE_FILE
from photosearch.indexing.scan import comes_by, describes_folder, is_looked_at
from photosearch.silent_drive import NoAnswerError, within


class Notices:
    """Tells `changed` of each folder in which a picture or a folder came, changed or went.

    `changed` is called from other threads, with the watched folder and the changed one. What
    happens to files that no run looks at is not told.
    """

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        # A new folder may come to it twice, by its parent and by looking through that. It then says
        # so where users would read it, and goes on as it should.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        self._changed = changed
        # Each has threads of its own: those of a drive that does not answer keep no others.
        self._observers: dict[str, Any] = {}

    def watch(self, folder: str, real: str) -> None:
        """Begin to watch a folder, or a single picture; again if it was watched.

        `real` is where it is, without links: the system is asked not to follow any.

        Raises `OSError` when the system cannot, or the drive does not answer.
        """
        from watchdog import events
        from watchdog.observers import Observer

        self.leave(folder)
        told = self._changed

        class Handler(events.FileSystemEventHandler):
            def on_any_event(self, event: events.FileSystemEvent) -> None:
                for path in (event.src_path, event.dest_path):
                    place = _folder_of(real, str(path), event.is_directory)
                    if place is not None:
                        told(folder, _as_watched(folder, real, place))

        # Not of files that are only read, as by each index run.
        kinds: list[type[events.FileSystemEvent]] = [
            events.FileCreatedEvent,
            events.FileModifiedEvent,
            events.FileAttribEvent,
            events.FileClosedEvent,
            events.FileDeletedEvent,
            events.FileMovedEvent,
            events.DirCreatedEvent,
            events.DirDeletedEvent,
            events.DirMovedEvent,
        ]
        observer, given_up = Observer(), threading.Event()

        def begin() -> None:
            observer.schedule(Handler(), real, recursive=os.path.isdir(real), event_filter=kinds)
            observer.start()
            if given_up.is_set():
                observer.stop()

        try:
            within(os.path.join(folder, ""), begin)
        except NoAnswerError:
            given_up.set()
            raise
        self._observers[folder] = observer

    def leave(self, folder: str) -> None:
        """Watch a folder no more."""
        observer = self._observers.pop(folder, None)
        if observer is not None:

            def end() -> None:
                observer.stop()
                observer.join()

            # Left behind, its threads do not keep the program.
            with suppress(NoAnswerError):
                within(os.path.join(folder, ""), end)

    def close(self) -> None:
        for folder in list(self._observers):
            self.leave(folder)


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
    if name == IGNORE_FILE or describes_folder(name):
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
