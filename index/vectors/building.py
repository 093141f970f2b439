"""Making the file of vectors of a large library, without holding them in memory.

The catalogue is read twice: once to learn to which cluster each vector belongs, so that it is known
how long each list becomes, and once to put the vectors where they belong in the file. While they
pass, those nearest to some queries are noted, by which is found how many clusters to look through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from index.vectors.faiss_library import faiss_library
from index.vectors.first_look import empty_look, places_in
from index.vectors.list_writer import ListWriter
from index.vectors.opened_file import OpenedFile
from index.vectors.vector_file import Stamp, Written, index_in, write_file
from index.vectors.vector_lists import (
    LARGE_FROM,
    PIECE,
    Batches,
    VectorLists,
    empty_index,
    plain_index,
)

# The share of the exact answers that a clustered index must give.
RECALL = 0.99
# What is asked for at building, since recall is measured on few queries.
_AIM = (1 + RECALL) / 2
# The lists to look through are measured for these numbers of answers; for more, all are.
_LEVELS = (10, 100, 1000)
# The share of the exact answers that the first look at a large library must give.
_LOOK_RECALL = 0.98
# More clusters would make building grow faster than the library, and save a search a millisecond.
_MOST_LISTS = 2048
_SAMPLED = 64  # vectors a cluster is trained on
_TRIED = 128  # vectors that stand for queries
_FEWER = 4  # times fewer queries where a first look answers nearly all
# Looking through a larger share of the lists would save too little.
_LARGEST_SHARE = 0.25

Read = Callable[[int], Batches]
Queries = NDArray[np.float32]


class NoClustersError(ValueError):
    """The vectors do not fall into clusters that help."""


def write_clusters(
    path: Path, stamp: Stamp, read: Read, count: int, queries: Sequence[Queries] = ()
) -> bool:
    """Write the vectors of `read(1)` in clusters; whether that was possible, as `write_vectors`.

    `read(n)` gives every n-th of the `count` vectors, and `queries` are sets of such as will be
    asked for. Some of the vectors themselves are another set: in none may the recall be less.

    Raises `NoClustersError`, and leaves the file at `path` as it is.
    """
    lists = min(_MOST_LISTS, 1 << max(1, round(math.log2(math.sqrt(count)))))
    sample = np.concatenate(
        [rows.astype(np.float32) for _, rows in read(max(1, count // (_SAMPLED * lists)))]
    )[: 2 * _SAMPLED * lists]
    if len(sample) < lists:
        raise NoClustersError(f"{len(sample)} vectors for {lists} clusters")
    index = empty_index(sample.shape[1], lists)
    index.cp.min_points_per_centroid = 1  # or it warns, on standard error
    index.train(sample)
    look = empty_look(index.quantizer, sample) if count >= LARGE_FROM else None
    asked = sample[:: max(1, len(sample) // _TRIED)][:_TRIED].copy()
    del sample
    sets = [asked, *(some for some in queries if len(some))]

    def write(file: BinaryIO) -> Written:
        ids, places, sizes = _assigned(index if look is None else look, read(1))
        writer = ListWriter(file, index, sizes)
        best = [Best(some, min(_LEVELS[-1], len(ids))) for some in sets]
        done = 0
        for some, vectors in read(1):
            writer.put(places[done : done + len(some)], some, vectors)
            rows = vectors.astype(np.float32)
            for one in best:
                one.add(some, rows)
            done += len(some)
        writer.flush()
        file.flush()
        opened = OpenedFile(Path(file.name))
        built = VectorLists(index_in(opened.content[: writer.length]), ids, held=opened)
        truth = [one.ids() for one in best]
        looks_at = None
        if look is not None and _looks_well(built, look, sets, truth):
            looks_at = writer.length
            file.seek(looks_at)
            faiss_library().write_index(look, faiss_library().PyCallbackIOWriter(file.write))
        probes, recall = _measured(built, sets, truth, needed=looks_at is None)
        return Written(writer.structure, ids, probes, recall, tried=True, looks_at=looks_at)

    return write_file(path, stamp, write)


def write_plain(
    path: Path, stamp: Stamp, batches: Batches, count: int, *, tried: bool = False
) -> bool:
    """Write `count` vectors, one or more, to be compared all; whether that was possible."""

    def write(file: BinaryIO) -> Written | None:
        pieces = -(-count // PIECE)
        sizes = np.full(pieces, PIECE, np.int64)
        sizes[-1] = count - (pieces - 1) * PIECE
        writer: ListWriter | None = None
        kept: list[NDArray[np.int64]] = []
        done = 0
        for ids, vectors in batches:
            if writer is None:
                writer = ListWriter(file, plain_index(vectors.shape[1], pieces), sizes)
            numbers = np.arange(done, done + len(ids)) // PIECE
            writer.put(numbers.astype(np.int32), ids, vectors)
            kept.append(ids)
            done += len(ids)
        if writer is None:
            return None
        writer.flush()
        return Written(writer.structure, np.concatenate(kept), tried=tried)

    return write_file(path, stamp, write)


def _assigned(
    index: Any, batches: Batches
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """All ids (n,), in which list each belongs (n,), and how many belong in each list.

    A first look, as which `index` may be, keeps what it is given; others are asked for the lists.
    """
    kept, places = [], []
    for ids, vectors in batches:
        rows = np.ascontiguousarray(vectors, np.float32)
        kept.append(ids)
        if isinstance(index, faiss_library().IndexIVFPQFastScan):
            index.add_with_ids(rows, ids)
        else:
            places.append(index.quantizer.search(rows, 1)[1][:, 0].astype(np.int32))
    every = np.concatenate(kept)
    if not places:
        return every, *places_in(index, every)
    together = np.concatenate(places)
    return every, together, np.bincount(together, minlength=index.nlist).astype(np.int64)


class Best:
    """The `k` vectors nearest to each query (n, d), of all that were added."""

    def __init__(self, queries: Queries, k: int) -> None:
        self._queries, self._k = queries, k
        self._least = np.full(len(queries), -np.inf, np.float32)
        self._scores = [[np.empty(0, np.float32)] for _ in queries]
        self._found = [[np.empty(0, np.int64)] for _ in queries]
        self._held = np.zeros(len(queries), np.int64)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        scores = self._queries @ vectors.T
        reaching = scores > self._least[:, None]
        for row in np.flatnonzero(reaching.any(axis=1)).tolist():
            chosen = reaching[row]
            self._scores[row].append(scores[row, chosen])
            self._found[row].append(ids[chosen])
            self._held[row] += int(chosen.sum())
            if self._held[row] > 2 * self._k:
                self._drop(row)

    def ids(self) -> NDArray[np.int64]:
        """Best first, (n, k)."""
        rows = []
        for row in range(len(self._queries)):
            scores, ids = self._drop(row)
            rows.append(ids[np.argsort(-scores, kind="stable")])
        return np.stack(rows)

    def _drop(self, row: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Forget all but the best of a query."""
        scores, ids = np.concatenate(self._scores[row]), np.concatenate(self._found[row])
        if len(ids) > self._k:
            best = np.argpartition(-scores, self._k - 1)[: self._k]
            scores, ids = scores[best], ids[best]
            self._least[row] = scores.min()
        self._scores[row], self._found[row], self._held[row] = [scores], [ids], len(ids)
        return scores, ids


def _looks_well(
    lists: VectorLists, look: Any, sets: Sequence[Queries], truth: Sequence[NDArray[np.int64]]
) -> bool:
    """Whether the first look gives the recall that is asked for, in every set."""
    looking = VectorLists(lists.index, lists.ids, held=lists.held, look=look)
    k = _LEVELS[0]
    return all(
        _recall(looking.search_looking(queries, k)[1], best[:, :k]) >= _LOOK_RECALL
        for queries, best in zip(sets, truth, strict=True)
    )


def _measured(
    lists: VectorLists,
    sets: Sequence[Queries],
    truth: Sequence[NDArray[np.int64]],
    *,
    needed: bool,
) -> tuple[dict[int, int], float]:
    """How many lists give the recall that is asked for in every set, by level, and the recall.

    Raises `NoClustersError` where it takes too many for the first level, and they are `needed`.
    """
    if not needed:  # they answer only who searches once, and measuring them takes long
        sets = [queries[::_FEWER] for queries in sets]
        truth = [best[::_FEWER] for best in truth]
    found: dict[int, int] = {}
    recall = 1.0
    probes = 2
    while probes <= lists.index.nlist * _LARGEST_SHARE and len(found) < len(_LEVELS):
        answers = [lists.search_lists(queries, _LEVELS[-1], probes)[1] for queries in sets]
        for level in _LEVELS:
            if level in found:
                continue
            least = min(
                _recall(a[:, :level], b[:, :level]) for a, b in zip(answers, truth, strict=True)
            )
            if least >= _AIM:
                found[level] = probes
                if level == _LEVELS[0]:
                    recall = least
        probes += max(1, probes // 2)
    if needed and _LEVELS[0] not in found:
        raise NoClustersError(f"{lists.index.nlist} clusters")
    return found, recall


def _recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    shares = [
        len(np.intersect1d(a, b, assume_unique=True)) / b.size
        for a, b in zip(found, truth, strict=True)
    ]
    return float(np.mean(shares))
