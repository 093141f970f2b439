"""One process of a machine fetches much of an archive at a time, and the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import CatalogueError
from index.shared.progress import Progress

if TYPE_CHECKING:
    from filelock import FileLock

# What its name begins with makes it private, as the copy is.
_NAME = "catalogue.db.lock"
# Seconds between two looks at whether the other is done.
_PAUSE = 0.1


@contextmanager
def fetching_alone(folder: Path) -> Iterator[None]:
    """Nobody else fetches much for the copy in `folder` meanwhile; who does is waited for.

    The system frees the lock when its holder ends. Raises `CatalogueError` where there are no
    locks.
    """
    lock = _lock(folder)
    if not _taken(lock, folder):
        with Progress(folder, "waiting") as waiting:
            while not _taken(lock, folder):
                time.sleep(_PAUSE)
                waiting.still()
    try:
        yield
    finally:
        lock.release()


def is_fetching(folder: Path) -> bool:
    """Whether somebody fetches much for the copy in `folder` just now."""
    lock = _lock(folder)
    if _taken(lock, folder):
        lock.release()
        return False
    return True


def _lock(folder: Path) -> FileLock:
    from filelock import FileLock

    # One object for each use: threads exclude each other as well.
    return FileLock(folder / _NAME, thread_local=False, fallback_to_soft=False)


def _taken(lock: FileLock, folder: Path) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(
            f"{folder / _NAME}: cannot be locked ({reason}); make its folder writable, or have it "
            "on a disk of this machine"
        ) from error
    return True
