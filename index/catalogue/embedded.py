"""Reading embeddings, as much at a time as memory should hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection

# The same bytes on every machine, so that a library can be carried to another.
VECTOR = np.dtype("<f2")
_ROWS = 4096  # read at a time

Batch = tuple[NDArray[np.int64], NDArray[np.float16]]

_FINDABLE = "photos JOIN embeddings USING (content_id) WHERE bundle_id = ? AND NOT missing"


def count_embeddings(connection: Connection, bundle_id: str) -> int:
    """How many photos can be found by this bundle's vectors."""
    return int(connection.rows(f"SELECT count(*) FROM {_FINDABLE}", [bundle_id])[0][0])


def read_embeddings(
    connection: Connection, bundle_id: str, *, after: int | None = None, every: int = 1
) -> Iterator[Batch]:
    """Ids, rising, and vectors (n, d) of the photos that can be found, batch after batch.

    `after` leaves those out that have not changed since that generation; `every` takes only the
    photos whose id it divides.
    """
    limits = ""
    parameters: list[str | int] = [bundle_id]
    if after is not None:
        limits += " AND photos.id IN (SELECT photo_id FROM changes WHERE generation > ?)"
        parameters.append(after)
    if every > 1:
        limits += " AND photos.id % ? = 0"
        parameters.append(every)
    query = f"SELECT photos.id, vector FROM {_FINDABLE}{limits} ORDER BY photos.id"
    for rows in connection.batches(query, parameters, _ROWS):
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        flat = np.frombuffer(b"".join(row[1] for row in rows), VECTOR)
        yield ids, flat.reshape(len(rows), -1).astype(np.float16, copy=False)


def vectors_of(connection: Connection, bundle_id: str, ids: Sequence[int]) -> Batch:
    """Ids, rising, and vectors (n, d) of those photos of `ids` that the bundle has embedded.

    Also of photos that are missing. (0,) and (0, 0) when there are none.
    """
    rows = connection.rows(
        "SELECT photos.id, vector FROM photos JOIN embeddings USING (content_id) "
        "WHERE bundle_id = ? AND photos.id IN (SELECT value FROM json_each(?)) ORDER BY photos.id",
        [bundle_id, json.dumps([int(photo_id) for photo_id in ids])],
    )
    if not rows:
        return np.empty(0, np.int64), np.empty((0, 0), np.float16)
    flat = np.frombuffer(b"".join(row[1] for row in rows), VECTOR)
    found = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    return found, flat.reshape(len(rows), -1).astype(np.float16, copy=False)
