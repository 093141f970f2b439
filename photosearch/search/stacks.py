"""Putting photos that show the same thing on one stack: copies, near duplicates, and bursts.

A near duplicate looks the same at a glance too: vectors of screenshots with other texts are as
alike as those of copies. A burst is of one camera; screenshots have none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.catalogue.selection import Selection
from photosearch.looks import BURST, NEAR, Look, same_at_a_glance, unpacked

# Photos of a burst are taken no further apart.
SECONDS = 3.0
# A photo is compared with so many before it. Those that look the same score nearly the same, so
# they are not far apart.
WINDOW = 1000
# Of those that are alike by their vectors, so many, the most alike, are looked at.
_LOOKED_AT = 8
_BLOCK = 256
# So many cosines are worked out sooner without BLAS, which would wake its threads.
_FEW = 1 << 14


def stacked(selection: Selection, bundle_id: str, ids: Sequence[int]) -> list[list[int]]:
    """The photos of `ids` on stacks, both in their order.

    A photo comes to the first one before it that shows the same. So the stacks of the first photos
    do not depend on how many follow.
    """
    stacks: list[list[int]] = []
    place: list[int] = []  # of each photo, its stack
    before = _Facts.none()
    glances = _Glances(selection)
    for start in range(0, len(ids), _BLOCK):
        block = ids[start : start + _BLOCK]
        facts = before.followed_by(_Facts.of(selection, bundle_id, block))
        known = len(facts) - len(block)
        cosines, sure = facts.same(known)
        for row, photo in enumerate(block):
            earlier = _first(sure[row, : known + row], cosines[row, : known + row], facts, glances)
            if earlier is not None:
                place.append(place[start - known + earlier])
                stacks[place[-1]].append(photo)
            else:
                place.append(len(stacks))
                stacks.append([photo])
        before = facts.last(WINDOW)
        glances.keep(before.ids)
    return stacks


def _first(
    sure: NDArray[np.bool_], cosines: NDArray[np.float32], facts: _Facts, glances: _Glances
) -> int | None:
    """The place of the first of the photos before one that shows the same as it.

    That is known of those that are `sure`, and to be looked at where the cosine says so.
    """
    found = [int(place) for place in np.flatnonzero(sure)[:1]]
    alike = np.flatnonzero(cosines >= NEAR)
    if len(alike):
        photo = int(facts.ids[len(cosines)])
        most = alike[np.argsort(-cosines[alike], kind="stable")[:_LOOKED_AT]]
        glances.learn([photo, *facts.ids[most].tolist()])
        for place in sorted(most.tolist()):
            if found and place > found[0]:
                break
            if glances.same(photo, int(facts.ids[place])):
                found = [place]
    return found[0] if found else None


class _Glances:
    """How photos look, read when it is first asked for."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._known: dict[int, Look | None] = {}

    def learn(self, ids: Sequence[int]) -> None:
        new = [photo for photo in ids if photo not in self._known]
        if new:
            packed = self._selection.looks(new)
            for photo in new:
                self._known[photo] = unpacked(packed[photo]) if photo in packed else None

    def keep(self, ids: NDArray[np.int64]) -> None:
        self._known = {photo: self._known[photo] for photo in ids.tolist() if photo in self._known}

    def same(self, one: int, other: int) -> bool:
        first, second = self._known[one], self._known[other]
        return first is not None and second is not None and same_at_a_glance(first, second)


class _Facts:
    """What tells whether photos are the same: their vectors, bytes, seconds, and cameras."""

    def __init__(
        self,
        ids: NDArray[np.int64],
        vectors: NDArray[np.float32],
        contents: NDArray[np.int64],
        seconds: NDArray[np.float64],
        cameras: NDArray[np.int64],
    ) -> None:
        self.ids = ids
        self._vectors, self._contents = vectors, contents
        self._seconds, self._cameras = seconds, cameras

    @classmethod
    def none(cls) -> _Facts:
        numbers = np.empty(0, np.int64)
        return cls(numbers, np.empty((0, 0), np.float32), numbers, np.empty(0), numbers)

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
        cameras = selection.cameras(ids)
        return cls(
            np.array(ids, np.int64),
            vectors,
            np.array([contents.get(photo, -photo) for photo in ids], np.int64),
            # Without a camera it is no burst, however quick.
            np.array(
                [moments.get(photo, np.nan) if photo in cameras else np.nan for photo in ids],
                np.float64,
            ),
            np.array([hash(cameras.get(photo)) for photo in ids], np.int64),
        )

    def __len__(self) -> int:
        return len(self._contents)

    def followed_by(self, other: _Facts) -> _Facts:
        if not len(self):
            return other
        width = max(self._vectors.shape[1], other._vectors.shape[1])
        return _Facts(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([_wide(self._vectors, width), _wide(other._vectors, width)]),
            np.concatenate([self._contents, other._contents]),
            np.concatenate([self._seconds, other._seconds]),
            np.concatenate([self._cameras, other._cameras]),
        )

    def last(self, count: int) -> _Facts:
        return _Facts(
            self.ids[-count:],
            self._vectors[-count:],
            self._contents[-count:],
            self._seconds[-count:],
            self._cameras[-count:],
        )

    def same(self, start: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Of each photo from `start` on and each of all: the cosine, and whether they are surely of
        the same, as copies and the photos of a burst are.
        """
        new, every = self._vectors[start:], self._vectors
        few = len(new) * len(every) <= _FEW
        cosines = np.einsum("nd,md->nm", new, every) if few else new @ every.T
        apart = np.abs(self._seconds[start:, None] - self._seconds[None])
        sure: NDArray[np.bool_] = (cosines >= BURST) & (apart <= SECONDS)
        sure &= self._cameras[start:, None] == self._cameras[None]
        sure |= self._contents[start:, None] == self._contents[None]
        return cosines, sure


def _wide(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Photos without vectors have none of any width; zeros are like nothing."""
    if vectors.shape[1] == width:
        return vectors
    return np.zeros((len(vectors), width), np.float32)
