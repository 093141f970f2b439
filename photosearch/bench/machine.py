"""The machine in a few words, to go with what was measured on it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """The processor, its cores, and how busy others keep them now."""
    name = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    number = cores()
    busy = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{name}, {number} core{'' if number == 1 else 's'}{busy}"


def cores() -> int:
    """How many cores this process may use, which in a container can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
