"""How much time and memory one file may take, so that none takes the whole run or machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from photosearch.capacity import LEAST, SHARE, total_memory
from photosearch.elsewhere.addresses import is_address
from photosearch.indexing.formats import MAX_PIXELS
from photosearch.kinds import VIDEOS

if TYPE_CHECKING:
    from photosearch.settings import Settings

# Bytes that one pixel may take at once: the decoder's own copy, Pillow's, which has four bytes a
# pixel, and the same again turned upright.
_PIXEL = 12
# Bytes a second of a drive that is slow but does answer.
_SLOW = 5e6
# And of a line to elsewhere, which several workers share.
_SLOW_LINE = 1e6
# Seconds until a server has begun to send a file.
_FETCHING = 60.0


@dataclass(frozen=True)
class Limits:
    """What one file may take: `memory` in bytes, and seconds, of which videos have their own.

    `nice`: and of the processor only what others leave.
    """

    memory: int
    max_pixels: int = MAX_PIXELS
    seconds: float = 30.0
    video_seconds: float = 60.0
    nice: bool = False

    def seconds_for(self, path: str) -> float:
        """The time that the file at `path` may take from when its worker turns to it."""
        is_video = os.path.splitext(path)[1].lower() in VIDEOS
        return self.video_seconds if is_video else self.seconds


def seconds_to_read(path: str, size: int | None = None) -> float:
    """What reading the file from a slow drive or network may take, besides its decoding.

    `size` are its bytes where they are known; those of one in a folder are asked for.
    """
    if is_address(path):
        return _FETCHING + (size or 0) / _SLOW_LINE
    try:
        return os.stat(path).st_size / _SLOW
    except OSError:
        return 0.0


def limits_of_machine(workers: int, total: int | None = None) -> Limits:
    """Limits for each of so many `workers` on a machine of `total` bytes, by default this one."""
    if total is None:
        total = total_memory()
    memory = max(LEAST, int(total * SHARE) // workers)
    return Limits(memory, memory // _PIXEL)


def limits_by(settings: Settings, workers: int) -> Limits:
    """Limits for each of so many `workers` on this machine, with the times of `settings`."""
    return replace(
        limits_of_machine(workers),
        seconds=settings.decode_seconds,
        video_seconds=settings.video_seconds,
    )


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
