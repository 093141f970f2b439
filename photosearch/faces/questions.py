"""Which groups of faces may be one person's, the questions first that are worth most.

What an answer is worth is how many photos a yes would name, or join to others, times how likely a
yes is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.catalogue.face_answers import FaceAnswer
from index.catalogue.faces import FaceGroup, FaceTable
from index.vectors.faiss_library import faiss_library

# The groups asked about: those with a name, and the largest without.
_GROUPS = 1000
# Faces by which a group is known, from so many of its clearest, and how many near each are looked
# at.
_FACES, _CLEAREST, _NEIGHBOURS = 16, 400, 48
# Two groups are as far apart as the nearer quarter of the smaller one's faces is from the other: a
# child's have few of the same age. At the first distance a yes is as likely as a no.
_QUARTER = 25
_EVEN, _WIDTH = 0.55, 0.03
_LEAST = 0.1


@dataclass(frozen=True)
class FaceQuestion:
    """Whether the faces of two groups are one person's.

    `group` has a name, or is the larger. A yes would name, or join, so many `photos`, and is as
    `likely` as that (0 to 1).
    """

    group: int
    other: int
    photos: int
    likely: float

    @property
    def value(self) -> float:
        return self.photos * self.likely


def face_questions(
    table: FaceTable,
    groups: Sequence[FaceGroup],
    answers: Mapping[tuple[int, int], FaceAnswer],
    refused: Set[tuple[int, int]] = frozenset(),
) -> list[FaceQuestion]:
    """All that are worth asking, the most valuable first.

    Not asked is what was answered, also of groups that were joined to these since; what is known by
    names; of strangers, who are hidden; of two who are in one photo, for they are two; and of
    groups with faces that were `refused` as the other's.
    """
    asked = _asked(groups)
    apart = _answered(answers) | _in_one_photo(table) | _refused(table, refused)
    questions = []
    for (one, other), distance in _distances(table, asked).items():
        first, second = sorted(
            (asked[one], asked[other]), key=lambda each: (each.name is None, -each.count, each.id)
        )
        likely = 1 / (1 + float(np.exp((distance - _EVEN) / _WIDTH)))
        if second.name is not None or likely < _LEAST or frozenset((one, other)) in apart:
            continue
        questions.append(FaceQuestion(first.id, second.id, second.count, round(likely, 3)))
    return sorted(questions, key=lambda each: (-each.value, each.group, each.other))


def _asked(groups: Sequence[FaceGroup]) -> dict[int, FaceGroup]:
    shown = [one for one in groups if not one.hidden]
    first = sorted(shown, key=lambda one: (one.name is None, -one.count))
    return {one.id: one for one in first[:_GROUPS]}


def _answered(answers: Mapping[tuple[int, int], FaceAnswer]) -> set[frozenset[int]]:
    """Pairs that need not be asked about: an answer holds for all that was joined, too."""
    into = {other: group for (group, other), answer in answers.items() if answer == "yes"}

    def now(group: int) -> int:
        seen = set()
        while group in into and group not in seen:
            seen.add(group)
            group = into[group]
        return group

    # Faces that were refused stay in a group behind a yes, which is answered all the same.
    return {
        frozenset((now(group), other if answer == "yes" else now(other)))
        for (group, other), answer in answers.items()
    }


def _refused(table: FaceTable, refused: Set[tuple[int, int]]) -> set[frozenset[int]]:
    groups = dict(zip(table.ids.tolist(), table.groups.tolist(), strict=True))
    return {frozenset((groups.get(face, 0), group)) for face, group in refused}


def _in_one_photo(table: FaceTable) -> set[frozenset[int]]:
    held: dict[int, set[int]] = defaultdict(set)
    for content, group in zip(table.pictures.tolist(), table.groups.tolist(), strict=True):
        if group:
            held[content].add(group)
    return {
        frozenset((one, other))
        for there in held.values()
        for one in there
        for other in there
        if one < other
    }


def _distances(table: FaceTable, groups: Mapping[int, FaceGroup]) -> dict[tuple[int, int], float]:
    """How far apart groups are that are near each other at all."""
    chosen = _centres(table, list(groups))
    if len(chosen) < 2:
        return {}
    vectors = np.ascontiguousarray(table.vectors[chosen])
    index = faiss_library().IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    squares, found = index.search(vectors, min(_NEIGHBOURS, len(chosen)))
    theirs = table.groups[chosen]
    many = Counter(theirs.tolist())
    nearest: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    rows, columns = np.nonzero(squares < (_EVEN + 3 * _WIDTH) ** 2)
    for row, at, square in zip(
        rows.tolist(), found[rows, columns].tolist(), squares[rows, columns].tolist(), strict=True
    ):
        own, other = int(theirs[row]), int(theirs[at])
        if own != other:
            # Those nearest come first.
            nearest[own, other].setdefault(row, square**0.5)
    apart: dict[tuple[int, int], float] = {}
    for (own, other), links in nearest.items():
        if many[own] > many[other] and (other, own) in nearest:
            continue
        far = np.full(many[own], np.inf)
        far[: len(links)] = sorted(links.values())
        distance = float(np.percentile(far, _QUARTER, method="lower"))
        pair = min(own, other), max(own, other)
        apart[pair] = min(distance, apart.get(pair, np.inf))
    return apart


def _centres(table: FaceTable, groups: Sequence[int]) -> NDArray[np.int64]:
    """Places in the table of the faces by which groups are known: each as unlike those before as
    can be, so that all ages of somebody are among them.
    """
    clear = table.quality[:, 1] * np.minimum(1, table.quality[:, 2] / 10)
    order = np.lexsort((-clear, table.groups))
    order = order[np.isin(table.groups[order], groups)]
    _, starts = np.unique(table.groups[order], return_index=True)
    parts = [each[:_CLEAREST] for each in np.split(order, starts[1:])]
    spread = [each[_spread(table.vectors[each])] if len(each) > _FACES else each for each in parts]
    return np.concatenate([np.empty(0, np.int64), *spread])


def _spread(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Places of so many vectors (n, d), the first and then each that is farthest from those."""
    chosen = [0]
    far = np.linalg.norm(vectors - vectors[0], axis=1)
    while len(chosen) < _FACES:
        chosen.append(int(far.argmax()))
        far = np.minimum(far, np.linalg.norm(vectors - vectors[chosen[-1]], axis=1))
    return np.array(chosen)
