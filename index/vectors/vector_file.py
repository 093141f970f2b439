"""The file of vectors: FAISS lists and ids, checksums of blocks, and what it was built from.

It can be used without being read: opening it checks its length, the checksums of its structure and
of its ids, and of everything in a file that is small. The vectors of a large one are checked by
`whole`. A damaged vector makes a photo be found too early or too late; damaged structure could make
FAISS read anywhere.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from index.safety.private import make_private_folder, private_opener
from index.vectors.vector_lists import VectorLists, faiss_library

_MAGIC = b"PSVX0002"
# Length of the JSON text before it, checksum of it and of the blocks' checksums, magic number.
_FOOTER = struct.Struct("<II8s")
_BLOCK = 1 << 20
_CHECKSUM = np.dtype("<u4")
_ID = np.dtype("<i8")
# Up to this many bytes checking all takes a few milliseconds.
_SMALL = 64 << 20


@dataclass(frozen=True)
class Stamp:
    """The state of the catalogue that a file was built from."""

    generation: int
    revision: str


class _Blocks:
    """Writes to a file, and keeps the checksums of the blocks written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._open = 0
        self.length = 0
        self._done: list[int] = []

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            piece = view[: _BLOCK - self.length % _BLOCK]
            self._open = zlib.crc32(piece, self._open)
            self.length += len(piece)
            view = view[len(piece) :]
            if self.length % _BLOCK == 0:
                self._done.append(self._open)
                self._open = 0
        return self._file.write(data)

    def checksums(self) -> bytes:
        left = [self._open] if self.length % _BLOCK else []
        return np.array([*self._done, *left], _CHECKSUM).tobytes()


def write_vectors(lists: VectorLists, path: Path, stamp: Stamp) -> bool:
    """Write beside `path` and rename into place; whether that was possible."""
    faiss = faiss_library()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        make_private_folder(path.parent)
        with open(beside, "wb", opener=private_opener) as file:
            blocks = _Blocks(file)
            faiss.write_index(lists.index, faiss.PyCallbackIOWriter(blocks.write))
            ids_at = blocks.length
            blocks.write(lists.ids.astype(_ID).tobytes())
            about = asdict(stamp) | {
                "structure": ids_at - len(lists.ids) * (lists.index.code_size + _ID.itemsize),
                "ids_at": ids_at,
                "length": blocks.length,
                "probes": sorted(lists.probes.items()),
                "recall": lists.recall,
                "tried": lists.tried,
            }
            tail = blocks.checksums() + (text := json.dumps(about).encode())
            file.write(tail)
            file.write(_FOOTER.pack(len(text), zlib.crc32(tail), _MAGIC))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        # Those of processes that were killed. One that is writing now only loses its copy.
        for left in path.parent.glob(f".{path.name}.*.part"):
            left.unlink()
    except OSError:
        # The file only saves time: where it cannot be written, searches build it in memory.
        with suppress(OSError):
            beside.unlink()
        return False
    return True


def read_vectors(path: Path, *, whole: bool = False) -> tuple[VectorLists, Stamp] | None:
    """The lists in the file at `path`, mapped; None when it is missing or damaged.

    With `whole` every byte is checked, however large it is.
    """
    try:
        # Mapped, so that the vectors are not copied. Windows could not replace a mapped file.
        data = np.fromfile(path, np.uint8) if os.name == "nt" else np.memmap(path, np.uint8, "r")
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    about = _checked(data, whole=whole)
    if about is None:
        return None
    ids_at, length = about["ids_at"], about["length"]
    content = data[:ids_at]
    faiss = faiss_library()
    try:
        index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(content), content.size))
    except RuntimeError:  # sound, but of a FAISS that this one cannot read
        return None
    lists = VectorLists(
        index,
        np.frombuffer(data[ids_at:length], _ID),
        dict(about["probes"]),
        about["recall"],
        about["tried"],
        content,
    )
    return lists, Stamp(about["generation"], about["revision"])


def _checked(data: NDArray[np.uint8], *, whole: bool) -> dict[str, Any] | None:
    """What the file says about itself; None when it is not as it was written."""
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
    checksums = np.frombuffer(tail, _CHECKSUM, blocks)
    if whole or length <= _SMALL:
        looked_at = range(blocks)
    else:
        structure = range(-(-about["structure"] // _BLOCK))
        ids = range(about["ids_at"] // _BLOCK, blocks)
        looked_at = sorted({*structure, *ids})  # type: ignore[assignment]
    for block in looked_at:
        part = data[block * _BLOCK : min(length, (block + 1) * _BLOCK)]
        if zlib.crc32(part.data) != checksums[block]:
            return None
    return about
