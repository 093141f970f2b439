"""Writing FAISS's lists of vectors to a file without holding them in memory.

What comes out is, byte for byte, what `faiss.write_index` makes of an index that holds them all
(`write_InvertedLists` in FAISS's impl/index_write.cpp): the index, how many vectors each list has,
and then for each list its vectors and its ids.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from index.vectors.faiss_library import faiss_library
from index.vectors.vector_file import UnknownLayoutError

# Number of lists, bytes of a vector, and how many lists of an empty index have vectors.
_LISTS = struct.Struct("<4sQQ4sQ")
_ID = np.dtype("<i8")
# Vectors that are put in order of their lists before they are written: some 100 MB.
_HELD = 1 << 17


class ListWriter:
    """Puts vectors into the lists of `index`, which has none yet, in the file at its position.

    `sizes` (n,) says how many each list will have. Vectors of one list stand in the order in which
    they are put. `length` is where the lists end in the file.
    """

    def __init__(self, file: BinaryIO, index: Any, sizes: NDArray[np.int64]) -> None:
        self._file, self._width = file, int(index.d)
        head = _head(index, sizes)
        self.structure = file.tell() + len(head)
        file.write(head)
        row = int(index.code_size)
        before = np.cumsum(sizes) - sizes
        self._codes = self.structure + before * (row + _ID.itemsize)
        self._ids = self._codes + sizes * row
        self._row = row
        self._filled = np.zeros(len(sizes), np.int64)
        self.length = self.structure + int(sizes.sum()) * (row + _ID.itemsize)
        self._waiting: list[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float16]]] = []
        self._count = 0

    def put(
        self, lists: NDArray[np.int32], ids: NDArray[np.int64], vectors: NDArray[np.float16]
    ) -> None:
        """Vectors (n, d) with their ids (n,), each for one of the lists (n,)."""
        self._waiting.append((lists, ids, vectors))
        self._count += len(ids)
        if self._count >= _HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is still held back."""
        if not self._waiting:
            return
        lists, ids, vectors = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
        self._waiting, self._count = [], 0
        order = np.argsort(lists, kind="stable")
        lists, ids, vectors = lists[order], ids[order].astype(_ID), vectors[order]
        numbers, starts = np.unique(lists, return_index=True)
        for number, start, end in zip(numbers, starts, [*starts[1:], len(lists)], strict=True):
            at = int(self._filled[number])
            self._file.seek(int(self._codes[number]) + at * self._row)
            self._file.write(vectors[start:end].tobytes())
            self._file.seek(int(self._ids[number]) + at * _ID.itemsize)
            self._file.write(ids[start:end].tobytes())
            self._filled[number] += end - start


def _head(index: Any, sizes: NDArray[np.int64]) -> bytes:
    """What stands before the vectors.

    Raises `UnknownLayoutError` where FAISS writes something else.
    """
    faiss = faiss_library()
    pieces: list[bytes] = []

    def keep(piece: bytes) -> int:
        pieces.append(bytes(piece))
        return len(piece)

    index.ntotal = int(sizes.sum())
    try:
        faiss.write_index(index, faiss.PyCallbackIOWriter(keep))
    finally:
        index.ntotal = 0
    written = b"".join(pieces)
    nothing = _LISTS.pack(b"ilar", len(sizes), index.code_size, b"sprs", 0)
    if not written.endswith(nothing):
        raise UnknownLayoutError("FAISS writes lists in a form that is not known here")
    some = np.flatnonzero(sizes)
    if len(some) > len(sizes) // 2:
        form, told = b"full", sizes.astype(_ID)
    else:
        form, told = b"sprs", np.stack([some, sizes[some]], axis=1).astype(_ID).ravel()
    head = _LISTS.pack(b"ilar", len(sizes), index.code_size, form, len(told))
    return written[: -len(nothing)] + head + told.tobytes()
