"""Where each sample of a tar begins, kept beside it: to look for that anew takes a second a shard.

    index = TarIndex(Path("photos-000.tar"))
    index.count()                             # samples
    index.bounds(12)                          # of sample 12, in bytes

`SHARD.tar.index` holds 64-bit numbers: a mark, the size and time of change of the tar that it is
of, then where each sample begins and where the last one ends. Nothing of it is kept in memory, so
that a billion samples take none; two numbers of a file that was just read cost some microseconds.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.photo_tars import PhotoTarError, split_name

_MARK = int.from_bytes(b"phototar", "little")
_HEADER = 3
_WORD = np.dtype("<i8")


class TarIndex:
    """The index of one tar; made, and stored if its folder lets itself be written to, at need."""

    def __init__(self, tar: Path) -> None:
        self._tar = tar
        self._file = tar.with_name(f"{tar.name}.index")
        self._checked = False
        # Where it cannot be stored it is kept here.
        self._words: NDArray[np.int64] | None = None

    def count(self) -> int:
        """How many samples there are; errors as of `bounds`."""
        self._check()
        if self._words is not None:
            return len(self._words) - _HEADER - 1
        return self._file.stat().st_size // _WORD.itemsize - _HEADER - 1

    def bounds(self, number: int) -> tuple[int, int]:
        """Where sample `number` begins and ends.

        Raises `PhotoTarError` when the tar cannot be read or is cut short.
        """
        self._check()
        first = _HEADER + number
        if self._words is not None:
            start, end = self._words[first : first + 2]
        else:
            start, end = np.fromfile(self._file, _WORD, 2, offset=first * _WORD.itemsize)
        return int(start), int(end)

    def _check(self) -> None:
        """Make the index unless there is one of the tar as it is now."""
        if self._checked:
            return
        try:
            status = self._tar.stat()
        except OSError as error:
            raise PhotoTarError(f"{self._tar}: cannot be read ({error.strerror})") from None
        header = [_MARK, status.st_size, status.st_mtime_ns]
        stored: list[int] = []
        with suppress(OSError):
            stored = np.fromfile(self._file, _WORD, _HEADER).tolist()
        if stored != header:
            words = np.array([*header, *_starts(self._tar)], _WORD)
            # Workers may make it at the same time: each in a file of its own.
            beside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
            try:
                words.tofile(beside)
                beside.replace(self._file)
            except OSError:
                beside.unlink(missing_ok=True)
                self._words = words
        self._checked = True


def _starts(tar: Path) -> Iterator[int]:
    """Where each sample begins, and where the last ends."""
    last = ""
    try:
        with tarfile.open(tar, "r:") as file:
            for member in file:
                if not member.isfile() or member.name.rpartition("/")[2].startswith("._"):
                    continue
                key = split_name(member.name)[0]
                if key != last:
                    yield member.offset
                    last = key
                file.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
            # tarfile takes a header that it cannot parse for the end of the archive.
            assert file.fileobj is not None
            file.fileobj.seek(file.offset)
            block = file.fileobj.read(tarfile.BLOCKSIZE)
            if len(block) < tarfile.BLOCKSIZE or any(block):
                raise PhotoTarError(f"{tar}: damaged or cut short after {last or 'its start'}")
            yield file.offset
    except (OSError, tarfile.TarError) as error:
        raise PhotoTarError(f"{tar}: not a readable tar ({error})") from None
