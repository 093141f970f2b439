"""Frames of videos: a video has a vector for each, and the moment at which it is seen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.embedded import VECTOR
from index.vectors.vector_lists import Found, VectorLists, plain_lists

# A video has no more frames.
MOST = 16


class Frames(Struct, frozen=True):
    """Seconds from the video's beginning, and vectors (n, d).

    The first is the frame that stands for the video, of which the video's own vector is.
    """

    seconds: tuple[float, ...]
    vectors: NDArray[np.floating[Any]]


def put_frames(
    db: sqlite3.Connection,
    bundle_id: str,
    content_id: int,
    seconds: Sequence[float],
    vectors: NDArray[np.float16],
) -> None:
    """Set the frames of a content; without any it has none."""
    where = [bundle_id, content_id]
    db.execute("DELETE FROM frames WHERE bundle_id = ? AND content_id = ?", where)
    for number, (moment, vector) in enumerate(zip(seconds, vectors, strict=True)):
        if number >= MOST:
            raise ValueError(f"{len(vectors)} frames of one video; {MOST} can be kept")
        db.execute(
            "INSERT INTO frames (bundle_id, content_id, number, seconds, vector) "
            "SELECT ?, id, ?, ?, ? FROM contents WHERE id = ?",
            [bundle_id, number, moment, vector.tobytes(), content_id],
        )


def best_frames(
    connection: Connection, bundle_id: str, ids: Sequence[int], query: NDArray[np.float32]
) -> dict[int, tuple[float, float]]:
    """Of those photos of `ids` that are videos: the frame that is most like `query`.

    Its inner product with that, and the seconds at which it is seen.
    """
    best: dict[int, tuple[float, float]] = {}
    for photo, seconds, vector in connection.rows(
        # In this order, or SQLite would go through all frames there are.
        "SELECT photos.id, seconds, vector FROM photos CROSS JOIN frames USING (content_id) "
        "WHERE photos.id IN (SELECT value FROM json_each(?)) AND bundle_id = ?",
        [json.dumps([int(photo_id) for photo_id in ids]), bundle_id],
    ):
        score = float(np.frombuffer(vector, VECTOR).astype(np.float32) @ query)
        if photo not in best or score > best[photo][0]:
            best[photo] = score, seconds
    return best


class FrameLists:
    """The frames of all videos that can be found, but for those that stand for their video."""

    def __init__(self, owners: NDArray[np.int64], lists: VectorLists) -> None:
        self._owners, self._lists = owners, lists

    @classmethod
    def read(cls, connection: Connection, bundle_id: str) -> FrameLists | None:
        """None when there are none."""
        rows = connection.rows(
            "SELECT photos.id, vector FROM photos JOIN frames USING (content_id) "
            "WHERE bundle_id = ? AND number > 0 AND NOT missing",
            [bundle_id],
        )
        if not rows:
            return None
        flat = np.frombuffer(b"".join(row[1] for row in rows), VECTOR)
        vectors = flat.reshape(len(rows), -1).astype(np.float16, copy=False)
        numbers = np.arange(len(rows), dtype=np.int64)
        owners = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        return cls(owners, plain_lists([(numbers, vectors)], len(rows)))

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None
    ) -> Found | None:
        """Scores and photo ids of the frames nearest to each query, of at least `k` videos if there
        are so many; a video comes as often as frames of it are there.
        """
        count, chosen = self._chosen(among)
        if not count:
            return None
        scores, found = self._lists.search(queries, min(count, k * MOST), chosen, exact=True)
        return scores, np.where(found < 0, -1, self._owners[found])

    def within(
        self, query: NDArray[np.float32], least: float, gap: float, among: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `VectorLists.within`: scores and photo ids (n,) of frames."""
        _, chosen = self._chosen(among)
        scores, found = self._lists.within(query, least, gap, chosen, exact=True)
        return scores, self._owners[found]

    def of(self, videos: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The frames (n, d) of these photos, whose ids rise; first each one's place in `videos`."""
        numbers = np.flatnonzero(np.isin(self._owners, videos))
        return np.searchsorted(videos, self._owners[numbers]), self._lists.vectors(numbers)

    def _chosen(self, among: NDArray[np.int64] | None) -> tuple[int, Any]:
        """How many frames there are of these videos, and what limits a search to them."""
        if among is None:
            return len(self._owners), None
        numbers = np.flatnonzero(np.isin(self._owners, among))
        return len(numbers), self._lists.selector(numbers)


def with_frames(found: Found, frames: Found, limit: int) -> Found:
    """The best `limit` of both, each photo once, by the best of its scores.

    `found` has each photo at most once, and the same number of them for each query.
    """
    scores = np.concatenate([found[0], frames[0]], axis=1)
    ids = np.concatenate([found[1], frames[1]], axis=1)
    order = np.argsort(-np.where(ids < 0, -np.inf, scores), axis=1, kind="stable")
    rows = []
    for row, best in enumerate(order):
        ranked = ids[row, best]
        _, first = np.unique(ranked, return_index=True)
        places = best[np.sort(first)]
        rows.append(places[ids[row, places] >= 0][:limit])
    width = min(len(row) for row in rows)
    kept = np.stack([row[:width] for row in rows])
    return np.take_along_axis(scores, kept, axis=1), np.take_along_axis(ids, kept, axis=1)
