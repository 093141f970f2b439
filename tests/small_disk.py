"""A disk of a few megabytes, which can be filled and made read-only."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optional import leave_out

_READ_ONLY, _REMOUNT = 1, 32
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class SmallDisk:
    """`folder` is where it is mounted."""

    folder: Path

    def fill(self) -> None:
        """Leave not a byte of room."""
        with open(self.folder / "fill", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                return

    def make_room(self) -> None:
        (self.folder / "fill").unlink()

    def protect(self) -> None:
        """Let nothing be written to it any more."""
        assert _mount(self.folder, _REMOUNT | _READ_ONLY) == 0

    def unprotect(self) -> None:
        assert _mount(self.folder, _REMOUNT) == 0


@contextmanager
def small_disk(place: Path, size: str = "8m") -> Iterator[SmallDisk]:
    """A disk mounted below `place`. Its test is left out for who may not mount."""
    folder = place / "disk"
    folder.mkdir()
    if os.getuid() or _mount(folder, 0, f"size={size}"):
        leave_out("to mount: be root")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(folder: Path, flags: int, options: str = "") -> int:
    return int(_libc.mount(b"none", os.fsencode(folder), b"tmpfs", flags, options.encode()))
