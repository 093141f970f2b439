"""What a command costs: seconds, the processor time and the memory of it and all its children.

spent = spend(["photosearch", "index", "photos"])
spent.seconds, spent.cpu_seconds, spent.peak_bytes
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Seconds between two looks at the memory, and at least so many times what a look takes at what
# several processes share: that takes longer, and what is measured should not wait for it.
_EVERY = 0.05
_REST = 100
# Fewer such looks tell nothing of the peak: then each process's own maximum is added up.
_ENOUGH = 20
# What a shell gives a program that Ctrl-C ended.
_INTERRUPTED = 130


class CommandError(Exception):
    """A command that ended with an error; what it wrote to standard error."""


@dataclass(frozen=True)
class Spent:
    """One run. The peak is of all processes together where the system (Linux) can tell.

    Elsewhere it is that of the command's own process; processor time and peak are 0 on Windows.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: float


def spend(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Spent:
    """Run `command` to its end, without its output. After `limit` seconds it gets a Ctrl-C.

    Raises `CommandError`, with what it wrote to standard error, when it fails.
    """
    # An installed program has its bytecode.
    set_ = dict(os.environ if environment is None else environment)
    set_.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=set_,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    watch = _Watch(process.pid)
    watch.start()
    stop = threading.Timer(limit or threading.TIMEOUT_MAX, _interrupt, [process])
    stop.daemon = True
    stop.start()
    assert process.stderr is not None
    told = process.stderr.read()
    cpu = own = 0.0
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        # Where /proc does not tell. macOS counts in bytes; elsewhere it is kilobytes, and on Linux
        # this would be no less than what our own process had when it started the other.
        own = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    else:
        process.wait()
    seconds = time.perf_counter() - started
    stop.cancel()
    watch.stop()
    process.stderr.close()
    stopped = limit is not None and process.returncode in (_INTERRUPTED, -signal.SIGINT)
    if process.returncode and not stopped:
        raise CommandError(" ".join(told.decode(errors="replace").split())[-500:])
    return Spent(seconds, cpu, watch.peak or own)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)


class _Watch(threading.Thread):
    """Adds up the memory of a process and its descendants, what they share counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self._together: list[float] = []
        self._most: dict[int, float] = {}

    @property
    def peak(self) -> float:
        """Bytes. Of processes that are gone sooner than what they share can be told it is no less
        than that, as that is counted for each.
        """
        if len(self._most) > 1 and len(self._together) < _ENOUGH:
            return sum(self._most.values())
        return max([*self._together, self._most.get(self._pid, 0.0)])

    def run(self) -> None:
        next_look = 0.0
        while not self._over.wait(_EVERY):
            tree = _descendants(self._pid)
            for pid in tree:
                # Its own record of its maximum, which costs it nothing.
                most = _field(f"/proc/{pid}/status", "VmHWM:")
                self._most[pid] = max(self._most.get(pid, 0.0), most)
            if len(tree) > 1 and time.perf_counter() >= next_look:
                begun = time.thread_time()
                shared = (_field(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in tree)
                self._together.append(sum(shared))
                next_look = time.perf_counter() + _REST * (time.thread_time() - begun)

    def stop(self) -> None:
        self._over.set()
        self.join()


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with suppress(OSError):  # it has ended
            for listing in Path(f"/proc/{one}/task").glob("*/children"):
                found += [int(child) for child in listing.read_text(encoding="ascii").split()]
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
