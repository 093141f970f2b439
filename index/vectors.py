"""The vector index: exact search over the embeddings of one bundle, in a file of its own.

The file is a FAISS index followed by a trailer, which says what revision of which catalogue it was
built from and holds a checksum. It is derived: written beside and renamed into place, and built
again from the catalogue when it is missing, stale or damaged.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.catalogue import Catalogue

FOLDER = "vectors"
_MAGIC = b"PSVX0001"
# Length of the JSON text before it, checksum of the FAISS index, and the magic number.
_FOOTER = struct.Struct("<II8s")
_ROWS = 65536  # given to FAISS at a time


class VectorIndex(Protocol):
    """Finds the vectors with the largest inner products."""

    def __len__(self) -> int: ...

    def search(
        self, queries: NDArray[np.float32], k: int, *, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores float32 (m, k') and photo ids int64 (m, k') of m queries (m, d), best first.

        k' is k, or as many photos as there are. `among` limits the search to these photo ids, and
        the result is then the true top k of them.
        """


class FaissIndex:
    """Exact inner products over float16 vectors, by FAISS."""

    def __init__(self, index: Any, data: NDArray[np.uint8] | None = None) -> None:
        self._index = index
        self._data = data  # what the index was read from, and still refers to

    @classmethod
    def open(cls, catalogue: Catalogue, bundle_id: str) -> Self:
        """The index of `bundle_id`'s vectors as the catalogue stands, built when need be.

        What was built is kept in a file for the next time, unless the catalogue is `readonly` or
        the file cannot be written.

        Raises `CatalogueError` when the catalogue cannot be read.
        """
        # A bundle's name comes from its maker; quoted it stays one file name in this folder.
        path = catalogue.folder / FOLDER / f"{quote(bundle_id, safe='')}.faiss"
        with catalogue.snapshot():
            stamp = {"generation": catalogue.generation, "revision": catalogue.revision}
            loaded = _load(path, stamp)
            if loaded is not None:
                return cls(*loaded)
            ids, vectors = catalogue.embeddings(bundle_id)
        index = _build(ids, vectors)
        if not catalogue.readonly:
            _save(index, path, stamp)
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, queries: NDArray[np.float32], k: int, *, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """See `VectorIndex.search`. Raises `ValueError` for queries of another width."""
        limit = min(k, len(self)) if among is None else min(k, len(self), len(among))
        if limit <= 0 or len(queries) == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if queries.ndim != 2 or queries.shape[1] != self._index.d:
            raise ValueError(f"queries of shape {queries.shape}, vectors of {self._index.d}")
        if not np.isfinite(queries).all():
            raise ValueError("queries that are not finite")
        faiss = _faiss()
        parameters = None
        if among is not None:
            selector = faiss.IDSelectorBatch(np.ascontiguousarray(among, np.int64))
            parameters = faiss.SearchParameters(sel=selector)
        rows = np.ascontiguousarray(queries, np.float32)
        scores, ids = self._index.search(rows, limit, params=parameters)
        # Ids that `among` repeats, or that the index lacks, leave gaps at the end of every row.
        found = int((ids[0] >= 0).sum())
        return scores[:, :found], ids[:, :found]


def _faiss() -> Any:
    # Imported when first used, so that what never searches does not wait for it.
    import faiss

    return faiss


def _build(ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> Any:
    faiss = _faiss()
    flat = faiss.IndexScalarQuantizer(
        max(1, vectors.shape[1]), faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index = faiss.IndexIDMap2(flat)
    for start in range(0, len(ids), _ROWS):  # FAISS takes float32, which is twice the size
        part = slice(start, start + _ROWS)
        index.add_with_ids(vectors[part].astype(np.float32), ids[part])
    return index


class _Checked:
    """Writes to a file, and keeps the checksum of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.checksum = 0

    def write(self, data: bytes) -> int:
        self.checksum = zlib.crc32(data, self.checksum)
        return self._file.write(data)


def _save(index: Any, path: Path, stamp: dict[str, Any]) -> None:
    faiss = _faiss()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            checked = _Checked(file)
            faiss.write_index(index, faiss.PyCallbackIOWriter(checked.write))
            text = json.dumps(stamp).encode()
            file.write(text)
            file.write(_FOOTER.pack(len(text), checked.checksum, _MAGIC))
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


def _load(path: Path, stamp: dict[str, Any]) -> tuple[Any, NDArray[np.uint8]] | None:
    """The index in the file at `path` and its bytes; None when missing, stale or damaged."""
    try:
        # Mapped, so that the vectors are not copied. Windows could not replace a mapped file.
        data = np.fromfile(path, np.uint8) if os.name == "nt" else np.memmap(path, np.uint8, "r")
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    footer = data[-_FOOTER.size :].tobytes()
    if len(footer) < _FOOTER.size:
        return None
    length, checksum, magic = _FOOTER.unpack(footer)
    end = len(data) - _FOOTER.size - length
    if magic != _MAGIC or end < 0:
        return None
    text, content = data[end : end + length].tobytes(), data[:end]
    if text != json.dumps(stamp).encode() or zlib.crc32(content.data) != checksum:
        return None
    faiss = _faiss()
    try:
        reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(content), content.size)
        return faiss.read_index(reader), content
    except RuntimeError:  # sound, but of a FAISS that this one cannot read
        return None
