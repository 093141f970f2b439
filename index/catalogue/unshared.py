"""A catalogue read where SQLite cannot make the memory that processes share beside it.

So it is on a full disk and on one that is read-only. Nobody knows of such a reader, and whoever can
write does so under its hands: what it reads counts only while the files stay as they are.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from index.errors import CatalogueError

# Bytes that the file of the shared memory has at least. Without room SQLite makes a smaller one.
_LEAST = 32 << 10
_CAUSES = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)
_Stamps = tuple[tuple[int, int, int] | None, ...]


def may_be_unshared(path: Path, error: sqlite3.OperationalError) -> bool:
    """Whether the `error` of opening the file to read may be that memory, which nobody has."""
    if error.sqlite_errorcode & 0xFF not in _CAUSES:
        return False
    try:
        return _beside(path, "-shm").stat().st_size < _LEAST
    except OSError:
        return True


def open_uri(path: Path, query: str, timeout: float) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{query}"
    return sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None)


class Unshared:
    """The files as they are now, to be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamps = _look(path)
        self._copy: _Copy | None = None

    def open(self, timeout: float) -> sqlite3.Connection:
        """Open them, with the log that a killed process may have left."""
        _, log = self._stamps
        if log is None:
            return open_uri(self._path, "immutable=1", timeout)
        # SQLite reads no log without that memory.
        self._copy = _copied(self._path, self._stamps)
        self.check()
        return open_uri(self._copy.path, "mode=ro", timeout)

    @property
    def is_changed(self) -> bool:
        """Whether they are others now, or were written to."""
        return _look(self._path) != self._stamps

    def check(self) -> None:
        """Raises `CatalogueError` when they have changed."""
        if self.is_changed:
            raise CatalogueError(f"{self._path}: was changed while it was read; try again")


class _Copy:
    """A file and its log where there is room for what SQLite needs; gone with this object."""

    def __init__(self, path: Path) -> None:
        folder = tempfile.mkdtemp(prefix="photosearch-")
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(folder) / path.name
        for file in (path, _beside(path, "-wal")):
            shutil.copyfile(file, Path(folder) / file.name)


_lock = threading.Lock()
_copies: WeakValueDictionary[tuple[Path, _Stamps], _Copy] = WeakValueDictionary()


def _copied(path: Path, stamps: _Stamps) -> _Copy:
    """One for all that read it in this process."""
    with _lock:
        copy = _copies.get((path, stamps))
        if copy is None:
            try:
                copy = _copies[path, stamps] = _Copy(path)
            except OSError as error:
                raise CatalogueError(
                    f"{path}-wal: holds changes that are not yet in {path.name}, and there is no "
                    f"room for a copy of both in {tempfile.gettempdir()} ({error.strerror}); make "
                    "room, or open the library once where it can be written"
                ) from error
        return copy


def _look(path: Path) -> _Stamps:
    return _stamp(path), _stamp(_beside(path, "-wal"))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    # An empty log is as good as none.
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status.st_size else None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
