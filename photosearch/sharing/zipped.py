"""Files as one zip file, made while it is sent: how long it will be is not known before."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from photosearch.sharing.making import BrokenOffError, File, count
from photosearch.sharing.naming import Names
from photosearch.sharing.wanted import Tally, Wanted


class _Pipe:
    """Takes what a zip file writes, to be sent on."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def zipped(
    files: Iterable[File], wanted: Wanted, tally: Tally, folder: str = ""
) -> Iterator[bytes]:
    """A zip file in pieces, all in its `folder` where one is named.

    Photos hardly shrink, so they are only stored. What was left out is named in a file of its own.
    """
    pipe = _Pipe()
    places: dict[str, Names] = {}
    with zipfile.ZipFile(cast(BinaryIO, pipe), "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            place, _, wanted_name = file.name.rpartition("/")
            name = places.setdefault(place, Names()).free(wanted_name)
            path = "/".join(part for part in (folder, place, name) if part)
            about = zipfile.ZipInfo(path, _zip_time(file.mtime_ns))
            # A file may grow while it is read, and a video be of any size.
            with archive.open(about, "w", force_zip64=True) as entry:
                try:
                    for piece in file.pieces():
                        entry.write(piece)
                        tally.bytes += len(piece)
                        yield pipe.taken()
                except BrokenOffError as error:
                    assert file.photo is not None
                    tally.leave_out(file.photo.photo.path, f"{error}; what came is in {path}")
                    continue
            count(file, wanted, tally)
        lines = [f"{_text(path)}: {reason}\n" for path, reason in tally.left_out]
        if tally.done < tally.total:
            lines.append(f"Stopped before the last {tally.total - tally.done}.\n")
        if lines:
            name = places.setdefault("", Names()).free("left out.txt")
            archive.writestr(f"{folder}/{name}" if folder else name, "".join(lines))
    yield pipe.taken()


def _text(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _zip_time(mtime_ns: int) -> tuple[int, int, int, int, int, int]:
    year, *rest = time.localtime(mtime_ns / 1e9)[:6]
    if not 1980 <= year <= 2107:  # what a zip file can say
        return (1980, 1, 1, 0, 0, 0)
    month, day, hour, minute, second = rest
    return (year, month, day, hour, minute, second)
