"""Photos' files as they are on disk now, and which of them are the same bytes in different files.

What was recorded may be out of date, and one file may have many names: by links, by linked folders,
by two ways to one network drive. Who deletes a copy must not delete the only one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO

from index import PhotoFile
from photosearch.elsewhere.addresses import is_address
from photosearch.regular_file import open_regular
from photosearch.silent_drive import answering, within

# Bytes of each file that are held at a time, and files that are open at once.
_PIECE, _OPEN = 1 << 18, 16
# Nanoseconds by which two ways to one file may differ in when it was changed: some round.
_ROUNDED = 2_000_000

GONE = "is gone"
ELSEWHERE = "is at an address, and only files are compared"
CHANGED = "was changed since it was indexed"
DIFFERS = "is not the same any more"
SAME_FILE = "is the same file by another path"
LINK = "is a link"


@dataclass(frozen=True)
class LeftOut:
    """A photo that was recorded as a copy and is not told of as one, and why: "is gone"."""

    path: str
    reason: str


@dataclass(frozen=True)
class Present:
    """A photo whose file is there. `status` follows links."""

    photo: PhotoFile
    status: os.stat_result

    @property
    def path(self) -> str:
        return self.photo.path

    @property
    def unchanged(self) -> bool:
        """Whether it is as it was when it was recorded."""
        stamp = self.photo.stamp
        return (self.status.st_size, self.status.st_mtime_ns) == (stamp.size, stamp.mtime_ns)

    @property
    def is_link(self) -> bool:
        return os.path.islink(self.path)

    def is_file_of(self, other: Present) -> bool:
        """Whether both are one file, or might be.

        By two ways to a network drive a file is on two devices, and has one number on that drive.
        """
        one, two = self.status, other.status
        if not one.st_ino or not two.st_ino:
            # The system does not number files, so there is no telling.
            return True
        if one.st_ino != two.st_ino:
            return False
        alike = one.st_size == two.st_size and abs(one.st_ctime_ns - two.st_ctime_ns) <= _ROUNDED
        return one.st_dev == two.st_dev or alike

    def is_there(self) -> bool:
        """Whether its path still leads to the same, unchanged file."""
        with suppress(OSError):
            return _mark(within(self.path, os.stat, self.path)) == _mark(self.status)
        return False


def look_up(photo: PhotoFile) -> Present | LeftOut:
    """The photo's file, or why it cannot be had."""
    if is_address(photo.path):
        return LeftOut(photo.path, ELSEWHERE)
    try:
        status = within(photo.path, os.stat, photo.path)
    except FileNotFoundError:
        return LeftOut(photo.path, GONE)
    except OSError as error:
        return LeftOut(photo.path, _unreadable(error))
    if not stat.S_ISREG(status.st_mode):
        return LeftOut(photo.path, DIFFERS)
    return Present(photo, status)


def different_files(found: Iterable[Present]) -> tuple[list[Present], list[LeftOut]]:
    """Those of `found` that are files of their own, each once; of one file the first."""
    kept: list[Present] = []
    left: list[LeftOut] = []
    by_number: dict[int, list[Present]] = {}
    for each in found:
        number = each.status.st_ino
        untold = not number or (kept and not kept[0].status.st_ino)
        if any(map(each.is_file_of, kept if untold else by_number.get(number, ()))):
            left.append(LeftOut(each.path, SAME_FILE))
        elif kept and each.is_link:
            # Removing a link frees nothing.
            left.append(LeftOut(each.path, LINK))
        else:
            kept.append(each)
            by_number.setdefault(number, []).append(each)
    return kept, left


def same_bytes(files: Sequence[Present]) -> tuple[list[list[Present]], list[LeftOut]]:
    """Those of `files` that are byte for byte the same, together, in their order, read to the end.

    Each file is there, and was not changed while it was read. What is like no other is left out.
    """
    together: list[list[Present]] = []
    left: list[LeftOut] = []
    waiting = list(files)
    while len(waiting) > 1:
        kept, *others = waiting
        try:
            same, waiting, faults = _like(kept, others)
        except OSError as error:
            left.append(LeftOut(kept.path, _unreadable(error)))
            waiting = others
            continue
        left += faults
        here = [each for each in same if each.is_there()]
        left += [LeftOut(each.path, DIFFERS) for each in same if each not in here]
        if here and kept.is_there():
            together.append([kept, *here])
        else:
            left.append(LeftOut(kept.path, DIFFERS))
            waiting = [*here, *waiting]
    if len(files) > 1:
        left += [LeftOut(each.path, DIFFERS) for each in waiting]
    return together, left


def _like(
    kept: Present, others: Sequence[Present]
) -> tuple[list[Present], list[Present], list[LeftOut]]:
    """Those of `others` with the bytes of `kept`, those with others, and those not to be read.

    Raises `OSError` when `kept` cannot be read.
    """
    same: list[Present] = []
    unlike = [each for each in others if each.status.st_size != kept.status.st_size]
    left: list[LeftOut] = []
    sized = [each for each in others if each.status.st_size == kept.status.st_size]
    for start in range(0, len(sized), _OPEN):
        with ExitStack() as stack:
            first = stack.enter_context(_opened(kept))
            open_: list[tuple[Present, BinaryIO]] = []
            for each in sized[start : start + _OPEN]:
                try:
                    open_.append((each, stack.enter_context(_opened(each))))
                except OSError as error:
                    left.append(LeftOut(each.path, _unreadable(error)))
            while open_:
                piece = first.read(_PIECE)
                still = []
                for each, file in open_:
                    try:
                        if file.read(_PIECE) == piece:
                            still.append((each, file))
                        else:
                            unlike.append(each)
                    except OSError as error:
                        left.append(LeftOut(each.path, _unreadable(error)))
                open_ = still
                if not piece:
                    break
            same += [each for each, _ in open_]
    order = {id(each): place for place, each in enumerate(others)}
    unlike.sort(key=lambda each: order[id(each)])
    return same, unlike, left


def _opened(present: Present) -> BinaryIO:
    """Its file, to read; not another that has come to its place meanwhile.

    Raises `OSError`.
    """
    return answering(present.path, within(present.path, _still, present))


def _still(present: Present) -> BinaryIO:
    file = open_regular(present.path)
    if _mark(os.fstat(file.fileno())) != _mark(present.status):
        file.close()
        raise OSError(None, "changed just now")
    return file


def _mark(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({error.strerror or error})"
