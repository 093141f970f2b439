"""What this machine can take: its memory, and how many processes that decode pictures."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

# What the workers may use together; the rest is for the network and for other programs.
SHARE = 0.5
# Bytes: the least that lets a photo of an ordinary phone be decoded.
LEAST = 512 << 20
# Workers a core, beyond which they wait for each other.
_A_CORE = 4
# Bytes of memory where the system tells nothing.
_ASSUMED = 4 << 30
_MEMORY_STATUS = 64  # bytes of Windows' MEMORYSTATUSEX
_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def most_workers(total: int | None = None) -> int:
    """As many workers as this machine can take: four a core, and no more than its memory holds."""
    if total is None:
        total = total_memory()
    return max(1, min(_A_CORE * (os.cpu_count() or 1), int(total * SHARE) // LEAST))


def usual_workers() -> int:
    """One a core, where memory holds as many."""
    return min(os.cpu_count() or 1, most_workers())


def total_memory() -> int:
    """Bytes of memory of this machine, or of the container that this process runs in."""
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # Windows has none of these
        found = [_of_windows() if sys.platform == "win32" else _ASSUMED]
    for file in _CGROUPS:
        try:
            # "max" where there is no limit.
            found.append(int(file.read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return min(found)


def _of_windows() -> int:
    import ctypes

    about = ctypes.create_string_buffer(_MEMORY_STATUS)
    struct.pack_into("=I", about, 0, _MEMORY_STATUS)
    told = ctypes.windll.kernel32.GlobalMemoryStatusEx(about)  # type: ignore[attr-defined]
    return _told_by_windows(about.raw) if told else _ASSUMED


def _told_by_windows(about: bytes) -> int:
    """The bytes of memory in a `MEMORYSTATUSEX`: its own size, the share in use, then the whole."""
    (total,) = struct.unpack_from("=Q", about, 8)
    return int(total) or _ASSUMED
