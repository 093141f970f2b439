"""Which folders are not there now: gone, or on a drive that is not connected or does not answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable

from index import Catalogue
from photosearch.elsewhere.addresses import is_address

# Seconds that a drive has to answer. One on the network that is away may never do so.
_PATIENCE = 2.0

_lock = threading.Lock()
# Folders that nothing is heard of yet; each has a thread that waits for it.
_waiting: dict[str, _Look] = {}


class _Look(threading.Thread):
    def __init__(self, folder: str) -> None:
        super().__init__(name="photosearch-look", daemon=True)
        self.folder, self.there, self.empty = folder, False, False

    def run(self) -> None:
        try:
            self.there, self.empty = _look(self.folder)
        finally:
            with _lock:
                del _waiting[self.folder]


def not_connected(catalogue: Catalogue, folders: Iterable[str]) -> list[str]:
    """Those of `folders`, or single pictures, that cannot be looked into now.

    So is an empty folder in which photos were: there is one where a drive is not mounted.
    """
    return [
        look.folder
        for look in _looks(folders)
        if look.is_alive()
        or not look.there
        or (look.empty and catalogue.count_below(look.folder)[0])
    ]


def _looks(folders: Iterable[str]) -> list[_Look]:
    looks = []
    end = time.monotonic() + _PATIENCE
    for folder in folders:
        if is_address(folder):
            continue  # its listing tells, which may take longer
        with _lock:
            late = folder in _waiting
            look = _waiting[folder] if late else _Look(folder)
            if not late:
                _waiting[folder] = look
                look.start()
        looks.append((look, late))
    for look, late in looks:
        # Who has kept us waiting before does so no second time.
        look.join(0 if late else max(0.0, end - time.monotonic()))
    return [look for look, _ in looks]


def _look(path: str) -> tuple[bool, bool]:
    """Whether it is there, and whether it is empty."""
    try:
        with os.scandir(path) as listing:
            return True, next(listing, None) is None
    except (NotADirectoryError, PermissionError):
        return True, False  # a picture; or what cannot be read is among the problems
    except FileNotFoundError:
        return False, False  # also at the end of a link
    except OSError:
        return os.path.lexists(path), False
