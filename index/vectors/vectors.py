"""The vector index: search over the embeddings of one bundle, in a file of its own.

The file is derived: written beside and renamed into place, and built again from the catalogue when
it is missing, damaged or too old. One that is a little behind is used as it is, without the photos
that have changed since, and with the vectors that these have now beside it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from index.catalogue.frames import FrameLists, with_frames
from index.catalogue.gathered import Gathered
from index.vectors.chosen import Chosen
from index.vectors.vector_file import Stamp, read_vectors, write_vectors
from index.vectors.vector_lists import CLUSTERED_FROM, Found, VectorLists, plain_lists

if TYPE_CHECKING:
    from index.catalogue.catalogue import Catalogue

FOLDER = "vectors"
# Changes that a search takes from the catalogue rather than wait for the file to be rebuilt: at
# least this many, or this share of the photos.
_PATCHED, _PATCHED_SHARE = 10_000, 0.2
# An index run, for which nobody waits, leaves fewer.
_LEFT_SHARE = 0.01
# From so many photos on vectors go to the file without all being in memory.
_STREAMED_FROM = 500_000
# What searches were limited to lately, which is kept: a filter stays while a text is typed.
_CHOSEN = 3

Queries = Callable[[], NDArray[np.float32]]
# Scores float32 (n,) and ids int64 (n,), best first.
Ranked = tuple[NDArray[np.float32], NDArray[np.int64]]


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

    def within(
        self,
        query: NDArray[np.float32],
        least: float,
        gap: float = math.inf,
        *,
        among: NDArray[np.int64] | None = None,
    ) -> Ranked:
        """Scores float32 (n,) and ids int64 (n,) of the photos whose score with `query` (d,) is
        `least` or more, and no more than `gap` below that of the best, best first.

        `among` limits the search to these photo ids, and the result is then all of them that are.
        """

    def gather(self, ids: NDArray[np.int64]) -> Gathered:
        """Those photos of `ids` that a search can find, each once, to be compared with queries."""

    def count(self, among: NDArray[np.int64]) -> int:
        """How many of these photos, each once, a search can find."""


class FaissIndex:
    """Inner products over float16 vectors, by FAISS: exact, or in clusters where there are many.

    `lists` are those of the file, `gone` the ids of which it is not to be believed any more, and
    `fresh` the vectors that came since. `frames` are those of videos, kept in memory: a video is as
    near to a query as the nearest of its frames.
    """

    def __init__(
        self,
        lists: VectorLists,
        gone: NDArray[np.int64] | None = None,
        fresh: VectorLists | None = None,
        frames: FrameLists | None = None,
    ) -> None:
        self._lists = lists
        self._frames = frames
        self._fresh = fresh
        self._left: NDArray[np.bool_] | None = None
        self._selector: Any = None
        self._count = len(lists.ids)
        self._chosen: deque[tuple[NDArray[np.int64], list[Chosen]]] = deque(maxlen=_CHOSEN)
        if gone is not None and len(stale := lists.positions(gone)):
            self._left = np.ones(len(lists.ids), np.bool_)
            self._left[stale] = False
            self._selector = lists.selector_of_bits(self._left)
            self._count -= len(stale)

    @classmethod
    def open(cls, catalogue: Catalogue, bundle_id: str) -> Self:
        """The index of `bundle_id`'s vectors as the catalogue stands, built when need be.

        What was built is kept in a file for the next time, unless the catalogue keeps no files or
        the file cannot be written. It is exact then: clusters take long to find.

        Raises `CatalogueError` when the catalogue cannot be read.
        """
        path = vector_file(catalogue, bundle_id)
        for last in (False, True):
            with catalogue.snapshot():
                stamp = Stamp(catalogue.generation, catalogue.revision)
                loaded = read_vectors(path)
                if loaded is not None:
                    opened = cls._patched(catalogue, bundle_id, *loaded)
                    if opened is not None:
                        return opened
                    if loaded[1].generation > stamp.generation and not last:
                        continue  # just written, from a later state than this snapshot
                frames = catalogue.frames(bundle_id)
                count = catalogue.embedding_count(bundle_id)
                if count >= _STREAMED_FROM and catalogue.keeps_files and not last:
                    from index.vectors.building import write_plain

                    written = write_plain(
                        path, stamp, catalogue.embedding_batches(bundle_id), count
                    )
                    loaded = read_vectors(path) if written else None
                    if loaded is not None:
                        return cls(loaded[0], frames=frames)
                lists = plain_lists(catalogue.embedding_batches(bundle_id), count)
            break
        # Of a model that has encoded nothing there is no file.
        if catalogue.keeps_files and bundle_id in catalogue.bundle_ids():
            write_vectors(lists, path, stamp)
        return cls(lists, frames=frames)

    @classmethod
    def _patched(
        cls, catalogue: Catalogue, bundle_id: str, lists: VectorLists, stamp: Stamp
    ) -> Self | None:
        """The index of a file and of what changed since; None when that is too much."""
        gone = catalogue.changed_since(stamp.generation, stamp.revision)
        if gone is None or len(gone) > max(_PATCHED, _PATCHED_SHARE * len(lists.ids)):
            return None
        frames = catalogue.frames(bundle_id)
        if not len(gone):
            return cls(lists, frames=frames)
        batches = list(catalogue.embedding_batches(bundle_id, after=stamp.generation))
        count = sum(len(ids) for ids, _ in batches)
        return cls(lists, gone, plain_lists(batches, count) if count else None, frames)

    @classmethod
    def refresh(
        cls,
        catalogue: Catalogue,
        bundle_id: str,
        queries: Queries | None = None,
        *,
        whole: bool = True,
    ) -> bool:
        """Build the file anew if it is damaged anywhere, or much has changed; whether it was.

        Without `whole` the vectors of a large file are taken to be sound.

        From `CLUSTERED_FROM` vectors on it is built in clusters, where these give as good as all of
        the exact answers to queries like those of `queries`: (n, d), asked for only then.

        Raises `CatalogueError` when the catalogue cannot be read.
        """
        path = vector_file(catalogue, bundle_id)
        with catalogue.snapshot():
            stamp = Stamp(catalogue.generation, catalogue.revision)
            if not cls.is_due(catalogue, bundle_id, whole=whole):
                return False
            if bundle_id not in catalogue.bundle_ids():
                cls.discard(catalogue.folder, bundle_id)
                return False
            written = _write(catalogue, bundle_id, path, stamp, queries)
        # Who may only read leaves that to others.
        if written and not catalogue.readonly:
            catalogue.forget_changes(stamp.generation)
        return True

    @staticmethod
    def is_due(catalogue: Catalogue, bundle_id: str, *, whole: bool = False) -> bool:
        """Whether `refresh` would build the file anew.

        Raises `CatalogueError` when the catalogue cannot be read.
        """
        with catalogue.snapshot():
            loaded = read_vectors(vector_file(catalogue, bundle_id), whole=whole)
            if loaded is None:
                return True
            lists, built = loaded
            changed = catalogue.changed_since(built.generation, built.revision)
            small = changed is not None and len(changed) <= _LEFT_SHARE * len(lists.ids)
            return not (small and (lists.tried or len(lists.ids) < CLUSTERED_FROM))

    @staticmethod
    def is_large(catalogue: Catalogue, bundle_id: str) -> bool:
        """Whether the vectors are so many that they are looked for in clusters."""
        return catalogue.embedding_count(bundle_id) >= CLUSTERED_FROM

    @staticmethod
    def edition(catalogue: Catalogue, bundle_id: str) -> tuple[int, int] | None:
        """Another whenever another file of vectors is there; None without one."""
        try:
            found = vector_file(catalogue, bundle_id).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    @staticmethod
    def discard(folder: Path, bundle_id: str | None = None) -> int:
        """Remove the files kept for the catalogue in `folder`, as after photos were forgotten.

        With `bundle_id` only that of one bundle. Returns the bytes that they took.
        """
        name = "*.faiss" if bundle_id is None else _file_name(bundle_id)
        freed = 0
        for path in (folder / FOLDER).glob(name):
            with suppress(OSError):  # it is stale, and the next search replaces it
                size = path.stat().st_size
                path.unlink()
                freed += size
        return freed

    def __len__(self) -> int:
        return self._count + (0 if self._fresh is None else len(self._fresh.ids))

    def count(self, among: NDArray[np.int64]) -> int:
        """See `VectorIndex.count`."""
        return sum(len(each) for each in self._among(among))

    def search(
        self, queries: NDArray[np.float32], k: int, *, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """See `VectorIndex.search`. Raises `ValueError` for queries of another width."""
        limit = min(k, len(self)) if among is None else min(k, len(self), len(among))
        if limit <= 0 or len(queries) == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        self._check(queries)
        rows = np.ascontiguousarray(queries, np.float32)
        parts = [part for part in self._parts(rows, limit, among) if part[1].size]
        if not parts:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        scores, ids = parts[0] if len(parts) == 1 else _merged(parts, limit)
        frames = None if self._frames is None else self._frames.search(rows, limit, among)
        if frames is not None:
            return with_frames((scores, ids), frames, limit)
        # Ids that `among` repeats, or that the index lacks, leave gaps at the end of every row.
        found = int((ids[0] >= 0).sum())
        return scores[:, :found], ids[:, :found]

    @property
    def _width(self) -> int:
        return (self._lists if self._fresh is None else self._fresh).width

    def _check(self, queries: NDArray[np.float32]) -> None:
        if queries.ndim != 2 or queries.shape[1] != self._width:
            raise ValueError(f"queries of shape {queries.shape}, vectors of {self._width}")
        if not np.isfinite(queries).all():
            raise ValueError("queries that are not finite")

    def within(
        self,
        query: NDArray[np.float32],
        least: float,
        gap: float = math.inf,
        *,
        among: NDArray[np.int64] | None = None,
    ) -> Ranked:
        """See `VectorIndex.within`. Raises `ValueError` for a query of another width."""
        if not len(self):
            return np.empty(0, np.float32), np.empty(0, np.int64)
        self._check(query[None])
        found = []
        if among is None:
            found.append(self._lists.within(query, least, gap, self._selector))
            if self._fresh is not None:
                found.append(self._fresh.within(query, least, gap))
        else:
            for chosen in self._among(among):
                found.append(chosen.lists.within_chosen(query, least, gap, chosen))
        if self._frames is not None:
            found.append(self._frames.within(query, least, gap, among))
        if not found:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        scores, ids = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = scores >= scores.max(initial=-np.inf) - np.float64(gap)
        scores, ids = scores[kept], ids[kept]
        order = np.lexsort((ids, -scores))
        scores, ids = scores[order], ids[order]
        if self._frames is not None:  # a video comes once, by the best of its frames
            first = np.sort(np.unique(ids, return_index=True)[1])
            scores, ids = scores[first], ids[first]
        return scores, ids

    def gather(self, ids: NDArray[np.int64]) -> Gathered:
        """See `VectorIndex.gather`."""
        parts = self._among(ids)
        found = np.concatenate([np.empty(0, np.int64), *(each.ids for each in parts)])
        width = self._width
        rows = [each.lists.vectors(each.positions) for each in parts]
        vectors = np.concatenate([np.empty((0, width), np.float32), *rows])
        order = np.argsort(found)
        found, vectors = found[order], vectors[order]
        if self._frames is None:
            return Gathered(found, vectors, np.empty(0, np.int64), np.empty((0, width), np.float32))
        return Gathered(found, vectors, *self._frames.of(found))

    def _parts(
        self, rows: NDArray[np.float32], limit: int, among: NDArray[np.int64] | None
    ) -> list[Found]:
        lists, fresh = self._lists, self._fresh
        parts = []
        if among is None:
            if self._count:
                parts.append(lists.search(rows, min(limit, self._count), self._selector))
            if fresh is not None:
                parts.append(fresh.search(rows, min(limit, len(fresh.ids))))
            return parts
        for chosen in self._among(among):
            parts.append(chosen.lists.search_chosen(rows, min(limit, len(chosen)), chosen))
        return parts

    def _among(self, among: NDArray[np.int64]) -> list[Chosen]:
        """Which of these photos are where, each once, for the parts that have any."""
        # What nobody can write to is the same when it comes again.
        fixed = not among.flags.writeable
        if fixed:
            for known, parts in self._chosen:
                if known is among:
                    return parts
        wanted = np.asarray(among, np.int64)
        found = [self._lists.chosen(wanted, self._left)]
        if self._fresh is not None:
            found.append(self._fresh.chosen(wanted))
        parts = [part for part in found if len(part)]
        if fixed:
            self._chosen.append((among, parts))
        return parts


def _write(
    catalogue: Catalogue, bundle_id: str, path: Path, stamp: Stamp, queries: Queries | None
) -> bool:
    """Write the file for an index run; whether that was possible."""
    # Not imported for a search.
    from index.vectors.building import NoClustersError, write_clusters, write_plain

    count = catalogue.embedding_count(bundle_id)
    tried = count >= CLUSTERED_FROM
    if tried:
        with suppress(NoClustersError):
            return write_clusters(
                path,
                stamp,
                lambda every: catalogue.embedding_batches(bundle_id, every=every),
                count,
                [] if queries is None else [queries()],
            )
    batches = catalogue.embedding_batches(bundle_id)
    if count >= _STREAMED_FROM:
        return write_plain(path, stamp, batches, count, tried=tried)
    made = plain_lists(batches, count)
    made.tried = tried
    return write_vectors(made, path, stamp)


def vector_file(catalogue: Catalogue, bundle_id: str) -> Path:
    """Where the vectors of `bundle_id` are kept."""
    return catalogue.folder / FOLDER / _file_name(bundle_id)


def _file_name(bundle_id: str) -> str:
    # A bundle's name comes from its maker; quoted it stays one file name in the folder.
    return f"{quote(bundle_id, safe='')}.faiss"


def _merged(parts: list[Found], limit: int) -> Found:
    scores = np.concatenate([part[0] for part in parts], axis=1)
    ids = np.concatenate([part[1] for part in parts], axis=1)
    scores = np.where(ids < 0, -np.inf, scores)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :limit]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)
