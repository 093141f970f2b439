"""Photos that are there more than once. They are only told: nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, PhotoFile
from photosearch.errors import UsageError
from photosearch.search.stacks import NEAR

_BLOCK, _ACROSS = 2048, 8192
# Directions in which photos are compared at first, found on so many of them.
_HEAD, _SAMPLE = 32, 20_000
# Where more than so many pairs of a block are left, comparing all of it is quicker.
_SHARE = 0.02


@dataclass(frozen=True)
class Duplicates:
    """Photos that are the same, the best first: most pixels, most bytes, first indexed.

    `kind` is "exact" when all have the same bytes. `similarity` is the lowest cosine by which one
    of them was joined to the others, 1.0 for exact ones.
    """

    kind: Literal["exact", "near"]
    similarity: float
    photos: tuple[PhotoFile, ...]

    @property
    def spare_bytes(self) -> int:
        """The size of all but the first."""
        return sum(photo.stamp.size for photo in self.photos[1:])


def exact(catalogue: Catalogue) -> list[Duplicates]:
    """Photos of the same bytes, those that take most space first."""
    return _sorted(
        [Duplicates("exact", 1.0, _best(catalogue, ids)) for ids in catalogue.selection.copies()]
    )


def near(catalogue: Catalogue, bundle_id: str, similarity: float = NEAR) -> list[Duplicates]:
    """Photos that look the same, copies among them, those that take most space first.

    Every photo is compared with every other: some ten seconds for 100,000, and four times as long
    for twice as many.

    Raises `UsageError` for a similarity that is none.
    """
    if not 0.5 <= similarity <= 1:
        raise UsageError(f"a similarity of {similarity} is not between 0.5 and 1; try {NEAR}")
    ids, vectors = catalogue.embeddings(bundle_id)
    parent = np.arange(len(ids))
    lowest: dict[int, float] = {}
    for one, other, cosine in _pairs(vectors, similarity):
        a, b = _root(parent, one), _root(parent, other)
        if a != b:
            parent[b] = a
            lowest[a] = min(lowest.get(a, 1.0), lowest.pop(b, 1.0), cosine)
    together: dict[int, list[int]] = {}
    for place in range(len(ids)):
        root = _root(parent, place)
        if root in lowest:
            together.setdefault(root, []).append(int(ids[place]))
    copies = {frozenset(each) for each in catalogue.selection.copies()}
    found = []
    for root, photos in together.items():
        same = any(copy.issuperset(photos) for copy in copies) if lowest[root] > 0.999 else False
        files = _best(catalogue, photos)
        found.append(Duplicates("exact", 1.0, files) if same else _near(lowest[root], files))
    return _sorted(found)


def _near(similarity: float, files: tuple[PhotoFile, ...]) -> Duplicates:
    return Duplicates("near", round(min(similarity, 1.0), 4), files)


def _pairs(vectors: NDArray[np.float16], similarity: float) -> Iterator[tuple[int, int, float]]:
    """All pairs that are so similar, the most similar of each block first.

    Two vectors are no nearer to each other than in the few directions in which photos differ most,
    and there nearly all pairs are too far apart already. Only the others are compared in full.
    """
    if not len(vectors):
        return
    unit = vectors.astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    left, right = _heads(unit)
    # Half the square of the distance, negative, with what float32 may round.
    nearest = similarity - 1 - 1e-4
    for start in range(0, len(unit), _BLOCK):
        rows, columns, values = [], [], []
        for first in range(start, len(unit), _ACROSS):
            block, across = slice(start, start + _BLOCK), slice(first, first + _ACROSS)
            found = np.flatnonzero(left[block] @ right[across].T >= nearest)
            width = len(unit[across])
            row, column = start + found // width, first + found % width
            # Of each pair the one that comes first looks for the other.
            row, column = row[row < column], column[row < column]
            if len(row) > _BLOCK * _SHARE * width:
                cosine = (unit[block] @ unit[across].T)[row - start, column - first]
            else:
                cosine = np.einsum("nd,nd->n", unit[row], unit[column])
            kept = cosine >= similarity
            rows.append(row[kept])
            columns.append(column[kept])
            values.append(cosine[kept])
        row, column, cosine = (np.concatenate(part) for part in (rows, columns, values))
        for place in np.lexsort((column, row, -cosine)):
            yield int(row[place]), int(column[place]), float(cosine[place])


def _heads(unit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two tables (n, h) whose products are minus half the square of the distance of two photos.

    Only that in the directions in which they differ most, so of no pair more than that of the two.
    """
    apart = unit - unit.mean(axis=0)
    some = apart[:: -(-len(apart) // _SAMPLE) or 1]
    _, directions = np.linalg.eigh(some.T @ some)
    heads = apart @ directions[:, -_HEAD:]
    half = (heads * heads).sum(axis=1, keepdims=True) / 2
    ones = np.ones_like(half)
    return np.hstack([heads, -half, ones]), np.hstack([heads, ones, -half])


def _root(parent: NDArray[np.int64], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = int(parent[place])
    return place


def _best(catalogue: Catalogue, ids: Sequence[int]) -> tuple[PhotoFile, ...]:
    files = catalogue.files(ids)
    files.sort(key=lambda file: (-file.width * file.height, -file.stamp.size, file.id))
    return tuple(files)


def _sorted(found: list[Duplicates]) -> list[Duplicates]:
    return sorted(found, key=lambda each: (-each.spare_bytes, each.photos[0].id))
