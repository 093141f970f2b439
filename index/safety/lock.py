"""The writer's lock: of all processes that change a library for longer, one at a time.

SQLite keeps the catalogue whole whoever writes. This lock is for work of many transactions, such as
an index run, which would undo or repeat what another does meanwhile. Readers take no part in it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from index.errors import CatalogueError, gone
from index.safety.private import protect
from index.shared.address import address_of

if TYPE_CHECKING:
    from filelock import FileLock

    from index.shared.claims import Claim

LOCK_NAME = "writer.lock"
# A file of its own: Windows lets nobody read a locked one.
NOTE_NAME = "writer.json"
# The prefix of folders in which a holder makes another catalogue.
WORKSHOPS = IMPORTING, SALVAGING = ".import-", ".salvage-"
# Files that are being written, each with the number of the process that does.
_DRAFTS = ".*.part", "vectors/.*.part", "thumbnails/.*.part"
# Seconds between two looks at a lock that is held here, and at an archive's, by its server.
_PAUSE, _LONGER = 0.2, 2.0
_LONGEST = 200  # characters of a command that are kept


class Holder(Struct, frozen=True):
    """The process that has the lock: number, machine, command line, and since when (ISO 8601)."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        return f"`{self.command}` (process {self.pid} on {self.host}, since {self._time})"

    @property
    def _time(self) -> str:
        """In this machine's time zone."""
        with suppress(ValueError):
            return f"{datetime.fromisoformat(self.since).astimezone():%Y-%m-%d %H:%M:%S}"
        return self.since


class InUseError(CatalogueError):
    """Another process has the lock; `holder` is None when it has not said who it is."""

    def __init__(self, folder: Path, holder: Holder | None) -> None:
        self.holder = holder
        super().__init__(
            f"{address_of(folder) or folder}: is being changed by {holder or 'another process'}; "
            "try again when that is done"
        )


class WriterLock:
    """The lock of the library in `folder`. Whoever holds it may take it again meanwhile.

    Of an archive it is this machine's, and beside it a claim on folders keeps others from these.

    The system frees it when its holder ends, however that ends, so there is never one to be removed
    by hand. Threads that share this object do not exclude one another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        address = address_of(folder)
        self._claim = None if address is None else _claim(address)
        self._lock: FileLock | None = None
        self._taken = 0
        self._guard = threading.Lock()

    @contextmanager
    def held(self, *, wait: bool = False, folders: Sequence[str] = ()) -> Iterator[None]:
        """Hold the lock meanwhile. In an archive that is for `folders`, or all of it without any.

        When another process has it, raises `InUseError` at once, or waits for it with `wait`.
        Raises `CatalogueError` when the folder cannot be written or its file system knows no locks.
        """
        while True:
            try:
                self._take(folders)
                break
            except InUseError:
                if not wait:
                    raise
            time.sleep(_PAUSE if self._claim is None else _LONGER)
        try:
            yield
        finally:
            self._leave()

    def _take(self, folders: Sequence[str]) -> None:
        from filelock import Timeout

        with self._guard:
            if self._lock is None:
                self._lock = _file_lock(self._folder / LOCK_NAME)
            # filelock would make the folder.
            if not self._folder.is_dir():
                raise gone(self._folder)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise InUseError(self._folder, self.holder()) from None
            except (OSError, NotImplementedError) as error:
                reason = getattr(error, "strerror", None) or error
                raise CatalogueError(
                    f"{self._folder / LOCK_NAME}: cannot be locked ({reason}); make the library "
                    "folder writable, or use one on a disk of this machine"
                ) from error
            if self._taken == 0 and self._claim is not None:
                try:
                    other = self._claim.take(folders, _this())
                    if other is not None:
                        raise InUseError(self._folder, other)
                except BaseException:
                    self._lock.release()
                    raise
            self._taken += 1
            if self._taken == 1:
                self._write_note()
                _clear(self._folder)
                protect(self._folder)

    def _leave(self) -> None:
        with self._guard:
            assert self._lock is not None
            self._taken -= 1
            if not self._taken:
                with suppress(OSError):  # the next holder writes its own
                    (self._folder / NOTE_NAME).unlink()
                protect(self._folder)
                if self._claim is not None:
                    self._claim.leave()
            self._lock.release()

    def holder(self) -> Holder | None:
        """Who took the lock and has not given it back, as far as is known."""
        try:
            note = json.loads((self._folder / NOTE_NAME).read_text(encoding="utf-8"))
            holder = Holder(
                int(note["pid"]), str(note["host"]), str(note["command"]), str(note["since"])
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return None if _is_dead(holder) else holder

    def _write_note(self) -> None:
        holder = _this()
        beside = self._folder / f".{NOTE_NAME}.part"
        try:
            beside.write_text(json.dumps(asdict(holder)) + "\n", encoding="utf-8")
            beside.replace(self._folder / NOTE_NAME)
        except OSError:
            # The lock holds without it, as on a full disk; an older one would name another process.
            for left in (beside, self._folder / NOTE_NAME):
                with suppress(OSError):
                    left.unlink()


def _this() -> Holder:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    return Holder(os.getpid(), socket.gethostname(), _command(), since)


def _claim(address: str) -> Claim:
    from index.shared.claims import Claim

    return Claim(address)


def _clear(folder: Path) -> None:
    """Remove the workshops of holders that were killed; who has the lock knows of no other.

    And files that were being written by a process that is gone: of vectors, which searches write
    without the lock, and by `write_whole`. Those of others stay.
    """
    # Processes that decode pictures import this module, and need no database.
    from index.safety.before_upgrade import clear_before_upgrade

    clear_before_upgrade(folder)
    for pattern in WORKSHOPS:
        for left in folder.glob(f"{pattern}*"):
            if not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
    for pattern in _DRAFTS:
        for left in folder.glob(pattern):
            number = left.name.split(".")[-2]
            if number.isdecimal() and _is_gone(int(number)):
                with suppress(OSError):
                    left.unlink()


def _file_lock(path: Path) -> FileLock:
    from filelock import FileLock

    # Not bound to a thread: a generator that holds it may be driven by several. Nor replaced, where
    # a file system knows no locks, by a mere file, which outlives a holder that is killed.
    return FileLock(path, thread_local=False, fallback_to_soft=False)


def _is_dead(holder: Holder) -> bool:
    """Whether it is surely gone: its note stays when it is killed."""
    return holder.host == socket.gethostname() and _is_gone(holder.pid)


def _is_gone(pid: int) -> bool:
    """Whether no process of this machine has that number, as far as can be told."""
    if os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def _command() -> str:
    """This process's command line, fit for one line of a message."""
    words = [os.path.basename(sys.argv[0]), *sys.argv[1:]] if sys.argv else []
    line = "".join(c if c.isprintable() else "?" for c in " ".join(words))
    if line.startswith("__main__.py"):  # python -m photosearch
        line = f"{Path(sys.argv[0]).parent.name}{line[len('__main__.py') :]}"
    return (line or "python")[:_LONGEST]
