"""What a command costs: seconds, the processor time and the memory of it and all its children.

spent = spend(["photosearch", "index", "photos"])
spent.seconds, spent.cpu_seconds, spent.peak_bytes
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Spent:
    """One run. The peak is of all processes together, where the system (Linux) can tell."""

    seconds: float
    cpu_seconds: float
    peak_bytes: float


def spend(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Spent:
    """Run `command` to its end, without its output.

    Raises `SystemExit`, with what it wrote to standard error, when it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watch = _Watch(process.pid)
    watch.start()
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    watch.stop()
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = " ".join(map(str, command))
        reason = " ".join(told.decode(errors="replace").split())[-500:]
        raise SystemExit(f"{text}: failed ({process.returncode}): {reason}")
    # Where /proc does not tell. macOS counts in bytes; elsewhere it is kilobytes, and on Linux this
    # would be no less than what our own process had when it started the other.
    own = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Spent(seconds, usage.ru_utime + usage.ru_stime, watch.peak or own)


class _Watch(threading.Thread):
    """Adds up the memory of a process and its descendants, what they share counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0.0

    def run(self) -> None:
        while not self._over.wait(_EVERY):
            tree = _descendants(self._pid)
            if len(tree) > 1:
                now = sum(_field(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in tree)
            else:
                # Its own record of its maximum, which costs it nothing.
                now = _field(f"/proc/{self._pid}/status", "VmHWM:")
            self.peak = max(self.peak, now)

    def stop(self) -> None:
        self._over.set()
        self.join()


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for listing in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in listing.read_text(encoding="ascii").split()]
            except OSError:
                continue  # it has ended
    return found


def _field(file: str, name: str) -> float:
    """Bytes that a line of a file in /proc tells; 0 when it is not there."""
    try:
        text = Path(file).read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith(name):
            return 1024.0 * int(line.split()[1])
    return 0.0
