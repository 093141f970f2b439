"""A file opened to be read, whatever has come to its place meanwhile."""

from __future__ import annotations

import os
import stat
from io import BufferedReader, BytesIO

from photosearch.elsewhere.addresses import is_address
from photosearch.elsewhere.files import opened as opened_elsewhere

# Without waiting: the opening of a pipe would last until somebody writes to it.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)


class NotRegularError(OSError):
    """What is at a path is a pipe, a device or a folder, and nothing of it was read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(None, "is not a regular file", path)


def open_regular(path: str | os.PathLike[str]) -> BufferedReader | BytesIO:
    """The file at `path`, to be read; of the opened file itself it is known to be a regular one.

    What is at an address is fetched, and then in memory.

    Raises `NotRegularError` or another `OSError`.
    """
    if is_address(path):
        return opened_elsewhere(os.fspath(path))
    try:
        descriptor = os.open(path, _FLAGS)
    except PermissionError:
        if os.path.isdir(path):  # as Windows has it
            raise NotRegularError(path) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
