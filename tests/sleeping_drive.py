"""A drive with photos that falls asleep: a FUSE file system, which then answers nothing.

Run as a program it serves the folder `source`, read-only, by the descriptor of /dev/fuse it is
given. Once the file `asleep` is there it reads nothing more of what it is asked.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optional import leave_out

_ASKED = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
# Of linux/fuse.h, whose numbers are named where they are answered.
_FORGETS = (2, 42)
_DETACH = 2


@dataclass(frozen=True)
class SleepingDrive:
    """`folder` is where it is mounted."""

    folder: Path
    _asleep: Path

    def sleep(self) -> None:
        self._asleep.touch()


@contextmanager
def sleeping_drive(source: Path, place: Path) -> Iterator[SleepingDrive]:
    """The photos of `source` on a drive that is mounted below `place`; its end ends all waiting."""
    folder, asleep = place / "drive", place / "asleep"
    folder.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        leave_out("/dev/fuse")
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40755,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"photos", os.fsencode(folder), b"fuse", 0, options.encode()):
        os.close(device)
        leave_out("to mount: be root")
    command = [sys.executable, __file__, str(device), str(source), str(asleep)]
    try:
        process = subprocess.Popen(command, pass_fds=[device])
    finally:
        os.close(device)
    try:
        yield SleepingDrive(folder, asleep)
    finally:
        # Without the process nobody can answer, and the system ends what waits.
        process.kill()
        process.wait()
        libc.umount2(os.fsencode(folder), _DETACH)


def _attributes(number: int, path: str) -> bytes:
    status = os.lstat(path)
    seconds, rest = divmod(status.st_mtime_ns, 10**9)
    size, blocks, mode = status.st_size, status.st_blocks, status.st_mode
    times = (seconds, seconds, seconds, rest, rest, rest)
    return struct.pack("<6Q3I7I", number, size, blocks, *times, mode, 1, 0, 0, 0, 4096, 0)


class _Drive:
    def __init__(self, device: int, source: str, asleep: str) -> None:
        self._device, self._asleep = device, asleep
        self._paths = {1: source}
        self._numbers = {source: 1}

    def serve(self) -> None:
        while True:
            select.select([self._device], [], [])
            if os.path.exists(self._asleep):
                # Unread, what is asked can be given up by killing who asks.
                return signal.pause()
            try:
                asked = os.read(self._device, 1 << 20)
            except OSError as error:
                if error.errno == errno.ENODEV:  # it is not mounted any more
                    return
                continue
            _, kind, unique, node, *_ = _ASKED.unpack_from(asked)
            if kind in _FORGETS:
                continue
            error, answer = 0, b""
            try:
                answer = self._answer(kind, node, asked[_ASKED.size :])
            except OSError as raised:
                error = -(raised.errno or errno.EIO)
            os.write(self._device, _ANSWER.pack(_ANSWER.size + len(answer), error, unique) + answer)

    def _answer(self, kind: int, node: int, said: bytes) -> bytes:
        path = self._paths.get(node, "")
        match kind:
            case 26:  # INIT
                return struct.pack("<IIIIHHIIHH8I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
            case 1:  # LOOKUP
                name = os.fsdecode(said.rstrip(b"\0"))
                below = os.path.join(path, name)
                os.lstat(below)
                number = self._numbers.setdefault(below, len(self._numbers) + 1)
                self._paths[number] = below
                return struct.pack("<4QII", number, 0, 0, 0, 0, 0) + _attributes(number, below)
            case 3:  # GETATTR
                return struct.pack("<QII", 0, 0, 0) + _attributes(node, path)
            case 14 | 27:  # OPEN, OPENDIR
                return struct.pack("<QII", 0, 0, 0)
            case 15:  # READ
                _, offset, size = struct.unpack_from("<QQI", said)
                with open(path, "rb") as file:
                    file.seek(offset)
                    return file.read(size)
            case 28:  # READDIR
                _, offset, size = struct.unpack_from("<QQI", said)
                return self._listed(path, offset, size)
            case 18 | 29:  # RELEASE, RELEASEDIR
                return b""
        raise OSError(errno.ENOSYS, "is not needed")

    def _listed(self, path: str, offset: int, size: int) -> bytes:
        listed = b""
        for place, name in enumerate(sorted(os.listdir(path))[offset:], offset + 1):
            raw = os.fsencode(name)
            is_folder = os.path.isdir(os.path.join(path, name))
            entry = struct.pack("<QQII", 1, place, len(raw), 4 if is_folder else 8) + raw
            entry += b"\0" * (-len(entry) % 8)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return listed


if __name__ == "__main__":
    _Drive(int(sys.argv[1]), sys.argv[2], sys.argv[3]).serve()
