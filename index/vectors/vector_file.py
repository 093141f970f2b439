"""The file of vectors: FAISS lists and ids, checksums of blocks, and what it was built from.

It can be used without being read: opening it checks its length, the checksums of its structure and
of its ids, and of everything in a file that is small. The vectors of a large one are checked by
`whole`. A damaged vector makes a photo be found too early or too late; damaged structure could make
FAISS read anywhere.
"""

from __future__ import annotations

import itertools
import json
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from msgspec import Struct, field
from msgspec.structs import asdict
from numpy.typing import NDArray

from index.errors import CatalogueError
from index.safety.private import make_private_folders_in, private_opener
from index.vectors.faiss_library import faiss_library
from index.vectors.opened_file import OpenedFile
from index.vectors.vector_lists import VectorLists

_MAGIC = b"PSVX0002"
# Length of the JSON text before it, checksum of it and of the blocks' checksums, magic number.
_FOOTER = struct.Struct("<II8s")
_BLOCK = 1 << 20
_CHECKSUM = np.dtype("<u4")
_ID = np.dtype("<i8")
# Up to this many bytes checking all takes a few milliseconds.
_SMALL = 64 << 20
_drafts = itertools.count()


class Stamp(Struct, frozen=True):
    """The state of the catalogue that a file was built from."""

    generation: int
    revision: str


class Written(Struct, frozen=True):
    """What is to be said of FAISS's lists that were written to the beginning of a file.

    `structure` is how many bytes of them are no vectors and no ids, and `looks_at` where what a
    first look is taken at begins, behind the lists; see `VectorLists` for the rest.
    """

    structure: int
    ids: NDArray[np.int64]
    probes: dict[int, int] = field(default_factory=dict)
    recall: float = 1.0
    tried: bool = False
    looks_at: int | None = None


class UnknownLayoutError(ValueError):
    """FAISS writes lists otherwise than this module does."""


def write_vectors(lists: VectorLists, path: Path, stamp: Stamp) -> bool:
    """Write beside `path` and rename into place; whether that was possible."""

    def write(file: BinaryIO) -> Written:
        faiss = faiss_library()
        faiss.write_index(lists.index, faiss.PyCallbackIOWriter(file.write))
        rows = len(lists.ids) * (lists.index.code_size + _ID.itemsize)
        return Written(file.tell() - rows, lists.ids, lists.probes, lists.recall, lists.tried)

    return write_file(path, stamp, write)


def write_file(path: Path, stamp: Stamp, write: Callable[[BinaryIO], Written | None]) -> bool:
    """As `write_vectors`, with the lists that `write` writes; False too where it gives None."""
    # Several threads may be at it. By the number of a process that is gone what it left is known.
    beside = path.with_name(f".{path.name}.{next(_drafts)}.{os.getpid()}.part")
    try:
        make_private_folders_in(path.parent.parent, path.parent)
        with open(beside, "w+b", opener=private_opener) as file:
            written = write(file)
            if written is not None:
                _finish(file, written, stamp)
        if written is None:
            beside.unlink()
            return False
        beside.replace(path)
        # Those of processes that were killed. One that is writing now only loses its copy.
        for left in path.parent.glob(f".{path.name}.*.part"):
            with suppress(OSError):
                left.unlink()
    except (OSError, UnknownLayoutError):
        # The file only saves time: where it cannot be written, searches build it in memory.
        with suppress(OSError):
            beside.unlink()
        return False
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    return True


def _finish(file: BinaryIO, written: Written, stamp: Stamp) -> None:
    """Write what comes after the lists, which end the file."""
    ids_at = file.seek(0, os.SEEK_END)
    file.write(written.ids.astype(_ID).tobytes())
    about = asdict(stamp) | {
        "structure": written.structure,
        "ids_at": ids_at,
        "length": file.tell(),
        "probes": sorted(written.probes.items()),
        "recall": written.recall,
        "tried": written.tried,
        # Unknown to older versions, which take no notice of what stands between lists and ids.
        "looks_at": written.looks_at,
    }
    # Lists are written in any order, and so the checksums of blocks are known only now.
    file.seek(0)
    checksums = [zlib.crc32(block) for block in iter(lambda: file.read(_BLOCK), b"")]
    tail = np.array(checksums, _CHECKSUM).tobytes() + (text := json.dumps(about).encode())
    file.write(tail)
    file.write(_FOOTER.pack(len(text), zlib.crc32(tail), _MAGIC))
    file.flush()
    os.fsync(file.fileno())


def index_in(content: NDArray[np.uint8]) -> Any:
    """FAISS's index that was written as `content`, which it refers to. Raises `RuntimeError`."""
    faiss = faiss_library()
    return faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(content), content.size))


def read_vectors(path: Path, *, whole: bool = False) -> tuple[VectorLists, Stamp] | None:
    """The lists in the file at `path`, mapped; None when it is missing or damaged.

    With `whole` every byte is checked, however large it is.
    """
    try:
        file = OpenedFile(path)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    about = _checked(file, whole=whole)
    if about is None:
        return None
    ids_at, length = about["ids_at"], about["length"]
    looks_at = about.get("looks_at")
    try:
        index = index_in(file.content[: ids_at if looks_at is None else looks_at])
    except RuntimeError:  # sound, but of a FAISS that this one cannot read
        return None

    def look(start: int) -> Any:
        read = _SoundBytes(file, about, start, ids_at).read
        with suppress(RuntimeError):
            return faiss_library().read_index(faiss_library().PyCallbackIOReader(read, _BLOCK))
        return None

    lists = VectorLists(
        index,
        np.frombuffer(file.content[ids_at:length], _ID),
        dict(about["probes"]),
        about["recall"],
        about["tried"],
        file,
        read_look=None if looks_at is None else partial(look, looks_at),
    )
    return lists, Stamp(about["generation"], about["revision"])


def _checked(file: OpenedFile, *, whole: bool) -> dict[str, Any] | None:
    """What the file says about itself; None when it is not as it was written."""
    data = file.content
    footer = data[-_FOOTER.size :].tobytes()
    if len(footer) < _FOOTER.size:
        return None
    text_length, checksum, magic = _FOOTER.unpack(footer)
    text_at = len(data) - _FOOTER.size - text_length
    if magic != _MAGIC or text_at < 0:
        return None
    # The checksums before the text are as many as the blocks that are before them.
    blocks = -(-text_at // (_BLOCK + _CHECKSUM.itemsize))
    length = text_at - blocks * _CHECKSUM.itemsize
    tail = data[max(0, length) : len(data) - _FOOTER.size].tobytes()
    if length < 0 or zlib.crc32(tail) != checksum:
        return None
    about: dict[str, Any] = json.loads(tail[blocks * _CHECKSUM.itemsize :])
    if about["length"] != length:
        return None
    about["checksums"] = np.frombuffer(tail, _CHECKSUM, blocks)
    if whole or length <= _SMALL:
        return about if _sound(file, about, 0, length) else None
    for start, end in ((0, about["structure"]), (about["ids_at"], length)):
        if not _sound(file, about, start, end):
            return None
    return about


def _sound(file: OpenedFile, about: dict[str, Any], start: int, end: int) -> bool:
    """Whether the blocks with the bytes from `start` to `end` are as they were written."""
    blocks = range(start // _BLOCK, -(-end // _BLOCK))
    return all(_block(file, about, number) is not None for number in blocks)


def _block(file: OpenedFile, about: dict[str, Any], number: int) -> bytes | None:
    """A block, read and not mapped, which needs no memory; None where it is damaged."""
    start = number * _BLOCK
    try:
        block = file.read(start, min(_BLOCK, about["length"] - start))
    except CatalogueError:
        return None
    return block if zlib.crc32(block) == about["checksums"][number] else None


class _SoundBytes:
    """Gives the bytes from `start` to `end`, of which none is believed before it is checked."""

    def __init__(self, file: OpenedFile, about: dict[str, Any], start: int, end: int) -> None:
        self._file, self._about = file, about
        self._at, self._end = start, end
        self._block: tuple[int, bytes] = (-1, b"")

    def read(self, most: int) -> bytes:
        """The next bytes, at most so many; none at the end, or where the next are damaged."""
        number, inside = divmod(self._at, _BLOCK)
        if self._block[0] != number:
            block = _block(self._file, self._about, number) if self._at < self._end else None
            self._block = (number, block or b"")
        part = self._block[1][inside : inside + min(most, self._end - self._at)]
        self._at += len(part)
        return part
