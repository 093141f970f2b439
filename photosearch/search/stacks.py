"""Putting photos that show the same thing on one stack: copies, near duplicates, and bursts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.selection import Selection

# Cosines from which on two photos show the same: at any time, and within these seconds.
NEAR = 0.97
BURST = 0.90
SECONDS = 3.0
# A photo is compared with so many before it. Those that look the same score nearly the same, so
# they are not far apart.
WINDOW = 1000
_BLOCK = 256


def stacked(selection: Selection, bundle_id: str, ids: Sequence[int]) -> list[list[int]]:
    """The photos of `ids` on stacks, both in their order.

    A photo comes to the first one before it that shows the same. So the stacks of the first photos
    do not depend on how many follow.
    """
    stacks: list[list[int]] = []
    place: list[int] = []  # of each photo, its stack
    before = _Facts.none()
    for start in range(0, len(ids), _BLOCK):
        block = ids[start : start + _BLOCK]
        facts = before.followed_by(_Facts.of(selection, bundle_id, block))
        known = len(facts) - len(block)
        same = facts.same(known)
        for row, photo in enumerate(block):
            earlier = np.flatnonzero(same[row, : known + row])
            if len(earlier):
                place.append(place[start - known + int(earlier[0])])
                stacks[place[-1]].append(photo)
            else:
                place.append(len(stacks))
                stacks.append([photo])
        before = facts.last(WINDOW)
    return stacks


class _Facts:
    """What tells whether photos are the same: their vectors, bytes and seconds."""

    def __init__(
        self,
        vectors: NDArray[np.float32],
        contents: NDArray[np.int64],
        seconds: NDArray[np.float64],
    ) -> None:
        self._vectors, self._contents, self._seconds = vectors, contents, seconds

    @classmethod
    def none(cls) -> _Facts:
        return cls(np.empty((0, 0), np.float32), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def of(cls, selection: Selection, bundle_id: str, ids: Sequence[int]) -> _Facts:
        found, stored = selection.vectors(bundle_id, ids)
        vectors = np.zeros((len(ids), stored.shape[1]), np.float32)
        rows = {int(photo): row for row, photo in enumerate(found)}
        at = [(place, rows[photo]) for place, photo in enumerate(ids) if photo in rows]
        if at:
            places, sources = (list(part) for part in zip(*at, strict=True))
            vectors[places] = stored[sources]
        contents, moments = selection.contents(ids), selection.moments(ids)
        return cls(
            vectors,
            np.array([contents.get(photo, -photo) for photo in ids], np.int64),
            np.array([moments.get(photo, np.nan) for photo in ids], np.float64),
        )

    def __len__(self) -> int:
        return len(self._contents)

    def followed_by(self, other: _Facts) -> _Facts:
        if not len(self):
            return other
        width = max(self._vectors.shape[1], other._vectors.shape[1])
        return _Facts(
            np.concatenate([_wide(self._vectors, width), _wide(other._vectors, width)]),
            np.concatenate([self._contents, other._contents]),
            np.concatenate([self._seconds, other._seconds]),
        )

    def last(self, count: int) -> _Facts:
        return _Facts(self._vectors[-count:], self._contents[-count:], self._seconds[-count:])

    def same(self, start: int) -> NDArray[np.bool_]:
        """Whether each photo from `start` on shows the same as each of all."""
        cosines = self._vectors[start:] @ self._vectors.T
        near: NDArray[np.bool_] = cosines >= NEAR
        apart = np.abs(self._seconds[start:, None] - self._seconds[None])
        near |= (cosines >= BURST) & (apart <= SECONDS)
        near |= self._contents[start:, None] == self._contents[None]
        return near


def _wide(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Photos without vectors have none of any width; zeros are like nothing."""
    if vectors.shape[1] == width:
        return vectors
    return np.zeros((len(vectors), width), np.float32)
