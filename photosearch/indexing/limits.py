"""How much time and memory one file may take, so that none takes the whole run or machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from photosearch.indexing.formats import MAX_PIXELS
from photosearch.kinds import FILMS

# What the workers may use together; the rest is for the network and for other programs.
_SHARE = 0.5
# The least that lets a photo of an ordinary phone be decoded.
_LEAST = 512 << 20
# Bytes that one pixel may take at once: the decoder's own copy, Pillow's, which has four bytes a
# pixel, and the same again turned upright.
_PIXEL = 12
# Bytes a second of a drive that is slow but does answer.
_SLOW = 5e6
# Where the system tells nothing.
_ASSUMED = 4 << 30
_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@dataclass(frozen=True)
class Limits:
    """What one file may take: `memory` in bytes, and seconds, of which videos have their own."""

    memory: int
    max_pixels: int = MAX_PIXELS
    seconds: float = 30.0
    video_seconds: float = 60.0

    def seconds_for(self, path: str) -> float:
        """The time that the file at `path` may take from when its worker turns to it."""
        is_video = os.path.splitext(path)[1].lower() in FILMS
        return self.video_seconds if is_video else self.seconds


def seconds_to_read(path: str) -> float:
    """What reading the file from a slow drive or network may take, besides its decoding."""
    try:
        return os.stat(path).st_size / _SLOW
    except OSError:
        return 0.0


def limits_of_machine(workers: int, total: int | None = None) -> Limits:
    """Limits for each of so many `workers` on a machine of `total` bytes, by default this one."""
    if total is None:
        total = total_memory()
    memory = max(_LEAST, int(total * _SHARE) // workers)
    return Limits(memory, memory // _PIXEL)


def total_memory() -> int:
    """Bytes of memory of this machine, or of the container that this process runs in."""
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # Windows has none of these
        found = [_ASSUMED]
    for file in _CGROUPS:
        try:
            # "max" where there is no limit.
            found.append(int(file.read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return min(found)


def limit_memory(extra: int) -> None:
    """Let this process take `extra` bytes more than it has now; from there allocations fail.

    Does nothing where the system knows no such limit (Windows, macOS).
    """
    try:
        import resource

        # What could be written, in pages, is what the limit counts; libraries' code is not in it.
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        limit = pages * resource.getpagesize() + extra
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    except (ImportError, OSError, ValueError):
        return
