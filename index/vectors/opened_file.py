"""A file that is mapped and read in parts, and stays what it is where another takes its name.

What is looked at of a mapped file counts as memory of this process, and for each few bytes the
system maps what lies around them: up to 2 MB, where it keeps the file in large pages. So of a file
that is too large to stay mapped, what is wanted here and there is read.
"""

from __future__ import annotations

import errno
import mmap
import os
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import CatalogueError

# A file that is no larger is not let go of: to map it again takes half the time of a search.
_MAPPED_WHOLE = 1 << 30


class OpenedFile:
    """The file at `path`; its bytes are in `content`, without a copy.

    Raises `OSError`; `ValueError` for an empty file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self.content: NDArray[np.uint8]
        if os.name == "nt":  # which could not replace a mapped file
            self.content = np.fromfile(path, np.uint8)
            return
        with open(path, "rb") as file:
            self.content = np.memmap(file, np.uint8, "r")
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)

    @property
    def is_mapped(self) -> bool:
        """Whether `content` is not in the memory of this process before it is looked at."""
        return self._file is not None

    @property
    def is_let_go(self) -> bool:
        """Whether it is too large to stay mapped."""
        return self.is_mapped and self.content.nbytes > _MAPPED_WHOLE

    def let_go(self) -> None:
        """Keep none of it mapped; the system keeps it in memory if it has the room."""
        if isinstance(self.content, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.content._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]

    def read(self, start: int, size: int) -> bytes:
        """A copy of so many bytes. Raises `CatalogueError` where the disk does not give them."""
        if self._file is None:
            return self.content[start : start + size].tobytes()
        parts = []
        try:
            while size:
                part = os.pread(self._file, size, start)
                if not part:
                    raise OSError(errno.EIO, "it is shorter than it was")
                parts.append(part)
                start, size = start + len(part), size - len(part)
        except OSError as error:
            raise CatalogueError(
                f"{self._path}: cannot be read ({error.strerror}); check the disk. "
                "If the file is deleted, it is made anew from the catalogue"
            ) from error
        return b"".join(parts)

    def rows(self, starts: NDArray[np.int64], size: int) -> NDArray[np.void]:
        """The `size` bytes that begin at each of `starts` (n,). Raises as `read` does."""
        kind = np.dtype((np.void, size))
        if self.is_let_go:
            order = np.argsort(starts)  # as they lie on the disk
            rows = np.empty(len(starts), kind)
            rows[order] = np.frombuffer(self._pieces(starts[order].tolist(), size), kind)
            return rows
        count = self.content.nbytes - size + 1
        every: NDArray[np.void] = np.ndarray((count,), kind, self.content.data, 0, (1,))
        return every[starts]

    def _pieces(self, starts: list[int], size: int) -> bytes:
        """The `size` bytes that begin at each of these places, together."""
        assert self._file is not None
        with suppress(OSError):
            together = b"".join([os.pread(self._file, size, start) for start in starts])
            if len(together) == size * len(starts):
                return together
        # Some did not come at once, or not at all.
        return b"".join([self.read(start, size) for start in starts])
