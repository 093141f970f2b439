"""What the kernel sees being done to files: also by libraries in C, and by other processes."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of linux/inotify.h. A file that was opened for writing tells so when it is closed, written or not.
_EVENTS = {
    0x002: "written",
    0x004: "attributes changed",
    0x008: "opened for writing",
    0x040: "moved away",
    0x080: "moved here",
    0x100: "created",
    0x200: "deleted",
}
_OPENED = 0x020


@contextmanager
def changes_below(folder: Path) -> Iterator[tuple[set[tuple[str, str]], set[str]]]:
    """Collects (name, what was done) of changes, and names opened, in `folder` and the ones in it.

    Both sets are filled when the block ends.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    watcher = libc.inotify_init1(os.O_NONBLOCK)
    assert watcher >= 0, os.strerror(ctypes.get_errno())
    changes: set[tuple[str, str]] = set()
    opened: set[str] = set()
    try:
        mask = sum(_EVENTS) | _OPENED
        for place in [place for place, _, _ in os.walk(folder)]:
            assert libc.inotify_add_watch(watcher, os.fsencode(place), mask) >= 0
        yield changes, opened
        data = b""
        try:
            while piece := os.read(watcher, 1 << 20):
                data += piece
        except BlockingIOError:
            pass
    finally:
        os.close(watcher)
    at = 0
    while at < len(data):
        _, mask, _, length = struct.unpack_from("iIII", data, at)
        name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
        at += 16 + length
        assert not mask & 0x4000, "more happened than the system keeps"
        changes |= {(name, what) for bit, what in _EVENTS.items() if mask & bit}
        if mask & _OPENED and name:
            opened.add(name)
