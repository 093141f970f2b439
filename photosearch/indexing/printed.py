"""What decoders print: libtiff and its kind write to standard error, whoever called them.

In the processes that decode, that goes to a file, and from there to the reason of the picture that
it is about. Imported by those processes before anything else.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Bytes and lines kept of one picture: a damaged one may be complained of for each of its rows.
_MOST, _LINES = 1 << 16, 40
_ERRORS = 2
_one_at_a_time = threading.Lock()


class Printed:
    """The file that one process prints to, as its parent sees it, which reads the last words."""

    def __init__(self) -> None:
        self._file, self.path = tempfile.mkstemp(prefix="photosearch-", suffix=".printed")

    def take(self) -> str:
        """What was printed since it was last taken."""
        return _take(self._file)

    def close(self) -> None:
        os.close(self._file)
        # Where open files may be removed, the process did that.
        with suppress(OSError):
            os.remove(self.path)


class Listening:
    """Sends what this process prints to the file at `path`; what Python reports goes on as ever."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
        with suppress(OSError):
            os.remove(path)  # not on Windows
        with suppress(OSError, ValueError, AttributeError):  # there may be none
            sys.stderr.flush()
            sys.stderr = os.fdopen(os.dup(_ERRORS), "w", errors="backslashreplace")
        os.dup2(self._file, _ERRORS)
        # Libraries in Python complain by way of this.
        told = os.fdopen(self._file, "w", errors="backslashreplace", closefd=False)
        logging.basicConfig(stream=told, format="%(message)s")

    def take(self) -> str:
        """What was printed since it was last taken."""
        return _take(self._file)


@contextmanager
def unheard() -> Iterator[None]:
    """What is printed in this process meanwhile is dropped, but for what Python reports."""
    with _one_at_a_time:
        try:
            kept = os.dup(_ERRORS)
        except OSError:  # a program without a terminal has none
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        before = sys.stderr
        try:
            before.flush()
            with os.fdopen(os.dup(kept), "w", errors="backslashreplace") as sys.stderr:
                os.dup2(nowhere, _ERRORS)
                yield
        finally:
            sys.stderr = before
            os.dup2(kept, _ERRORS)
            os.close(kept)
            os.close(nowhere)


def _take(file: int) -> str:
    size = os.fstat(file).st_size
    if not size:
        return ""
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, _MOST).decode("utf-8", "replace")
    os.ftruncate(file, 0)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if len(lines) > _LINES or size > _MOST:
        lines = [*lines[:_LINES], "…"]
    return "\n".join(lines)
