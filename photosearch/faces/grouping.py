"""Which faces are one person's: each face is drawn to the group of those nearest to it.

Chinese whispers (Biemann, 2006) on a graph of nearest neighbours, which FAISS finds. What somebody
said stays as it is, and so does every face that is in a group: those that come join them, or form
new ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import NDArray

from index.catalogue.faces import FaceTable
from index.vectors.faiss_library import faiss_library

# Distances below which faces may be one person's; dlib's networks was trained for one of 0.6.
_NEAR = 0.5
_NEIGHBOURS = 24
_ROUNDS = 20
# A single face is no group.
_LEAST = 2
# Score, pixels of the smaller side, and detail: a face of less looks like many others.
_GOOD = (0.7, 40.0, 4.0)


def grouped(table: FaceTable, refused: Set[tuple[int, int]] = frozenset()) -> dict[int, int]:
    """For faces that are in no group yet that to which they belong, by their ids.

    New groups are numbers below 0. `refused` are faces with groups that they are not of. Two faces
    of the same photo are two people.
    """
    good = np.flatnonzero((table.quality >= _GOOD).all(axis=1) | (table.groups > 0))
    free = [at for at in good.tolist() if table.groups[at] == 0]
    if not free:
        return {}
    near = _near(table, good)
    labels = np.where(table.groups > 0, table.groups, -np.arange(1, len(table.ids) + 1))
    # Which labels a photo has already.
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for at in good.tolist():
        held[int(table.pictures[at])][int(labels[at])] += 1
    order = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        changed = 0
        for at in order.permutation(free).tolist():
            changed += _drawn(at, near, table, labels, held, refused)
        if not changed:
            break
    members: dict[int, list[int]] = defaultdict(list)
    for at in free:
        members[int(labels[at])].append(at)
    for label in [one for one in members if one < 0]:
        faces = members[label]
        to = _joined(faces, near, table, labels, held, refused)
        if to:
            members[to] += faces
            del members[label]
            labels[faces] = to
            for at in faces:
                held[int(table.pictures[at])][to] += 1
    return {
        int(table.ids[at]): label
        for label, faces in members.items()
        if label > 0 or len(faces) >= _LEAST
        for at in faces
    }


def _drawn(
    at: int,
    near: Mapping[int, list[tuple[int, float]]],
    table: FaceTable,
    labels: NDArray[np.int64],
    held: Mapping[int, dict[int, int]],
    refused: Set[tuple[int, int]],
) -> bool:
    """Give a face the label of most of those near it; whether that is another one."""
    face, there, now = int(table.ids[at]), held[int(table.pictures[at])], int(labels[at])
    weights: dict[int, float] = defaultdict(float)
    for other, weight in near.get(at, ()):
        weights[int(labels[other])] += weight
    best, most = now, weights.get(now, 0.0)
    for label, weight in weights.items():
        if label == now or weight <= most or there.get(label) or (face, label) in refused:
            continue
        best, most = label, weight
    if best == now:
        return False
    there[now] -= 1
    there[best] += 1
    labels[at] = best
    return True


def _joined(
    faces: list[int],
    near: Mapping[int, list[tuple[int, float]]],
    table: FaceTable,
    labels: NDArray[np.int64],
    held: Mapping[int, dict[int, int]],
    refused: Set[tuple[int, int]],
) -> int:
    """The group that is there already to which half of a new one are near; 0 where there is none.

    Many new faces of somebody are nearer to each other than to the few that are known.
    """
    linked: dict[int, int] = defaultdict(int)
    for at in faces:
        for label in {int(labels[other]) for other, _ in near.get(at, ())}:
            if label > 0:
                linked[label] += 1
    free = [
        (count, label)
        for label, count in linked.items()
        if 2 * count >= len(faces)
        and not any(held[int(table.pictures[at])].get(label) for at in faces)
        and not any((int(table.ids[at]), label) in refused for at in faces)
    ]
    return max(free, default=(0, 0))[1]


def _near(table: FaceTable, good: NDArray[np.int64]) -> dict[int, list[tuple[int, float]]]:
    """Of each face those near it, but for those of the same photo, and how near: 1 is the same."""
    vectors = np.ascontiguousarray(table.vectors[good])
    index = faiss_library().IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    squares, found = index.search(vectors, min(_NEIGHBOURS + 1, len(good)))
    weights = 1 - np.sqrt(np.maximum(squares, 0)) / _NEAR
    near: dict[int, list[tuple[int, float]]] = {}
    rows, columns = np.nonzero(weights > 0)
    ones, others = good[rows], good[found[rows, columns]]
    apart = table.pictures[ones] != table.pictures[others]
    for one, other, weight in zip(
        ones[apart].tolist(), others[apart].tolist(), weights[rows, columns][apart].tolist(),
        strict=True,
    ):  # fmt: skip
        near.setdefault(one, []).append((other, weight))
    return near
