"""What photos look like, and what is known of them, as one ranking.

Both are rankings of their own, which reciprocal ranks join (Cormack, Clarke, Büttcher: Reciprocal
rank fusion outperforms Condorcet and individual rank learning methods, 2009): a photo's place in
one counts whatever the scores there mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from photosearch.search.find import BLOCK, Compared, Scored
from photosearch.search.query import Fact
from photosearch.search.relevance import Relevant

# As in the paper: the first of one ranking does not outweigh the others by much.
_K = 60
# Kinds of which nobody asks for something else that looks so.
_FIRST = ("person", "words")

Ids = NDArray[np.int64]
Comes: TypeAlias = Literal["ahead", "beside", "behind"]


class Fused:
    """Photos by how they look, `seen`, and those of which facts are `known`, each best first.

    What is known comes "ahead" of all else, "behind" it, or "beside" it, by reciprocal ranks.
    `scores` gives those of photos that are known, `counted` how many of them have any: only what is
    shown is compared.
    """

    def __init__(
        self,
        seen: Compared | Relevant,
        known: Ids,
        scores: Callable[[Ids], Scored],
        counted: Callable[[Ids], int],
        *,
        comes: Comes,
    ) -> None:
        self.block = BLOCK if isinstance(seen, Compared) else None
        self.like = seen.like
        self.cutoff = None if isinstance(seen, Compared) else seen.cutoff
        self._scores = scores
        self._seen_scores, self._seen = seen.best(max(1, seen.total()))
        only_known = _without(known, self._seen)
        self.beyond = 0
        if not isinstance(seen, Compared):
            self.beyond = max(0, seen.beyond - counted(only_known))
        self._order = _joined(known, self._seen, comes)

    def first(self, count: int) -> Scored:
        chosen = self._order[:count]
        seen = np.flatnonzero(_among(self._seen, chosen))
        found: dict[int, float | None] = dict(
            zip(self._seen[seen].tolist(), self._seen_scores[seen].tolist(), strict=True)
        )
        rest = _without(chosen, self._seen[seen])
        if len(rest):
            found |= dict(self._scores(np.sort(rest)))
        return [(photo, found.get(photo)) for photo in chosen.tolist()]

    @property
    def ids(self) -> Ids:
        """All of them."""
        return np.array(self._order, np.int64)

    def total(self) -> int:
        return len(self._order)


def _joined(known: Ids, seen: Ids, comes: Comes) -> Ids:
    """The photos of both rankings, each once."""
    if comes != "beside":
        first, then = (known, seen) if comes == "ahead" else (seen, known)
        return np.concatenate((first, _without(then, first)))
    every = np.concatenate((known, _without(seen, known)))
    scores = np.zeros(int(every.max(initial=-1)) + 1)
    for ranking in (known, seen):
        scores[ranking] += 1 / (_K + np.arange(1, len(ranking) + 1))
    # The order of equals is kept: known before seen.
    return every[np.argsort(-scores[every], kind="stable")]


def _without(ids: Ids, others: Ids) -> Ids:
    return ids[~_among(ids, others)]


def _among(ids: Ids, others: Ids) -> NDArray[np.bool_]:
    """Which of the ids are among others."""
    there = np.zeros(int(max(ids.max(initial=-1), others.max(initial=-1))) + 1, np.bool_)
    there[others] = True
    return there[ids]


def where_known(facts: Sequence[Fact], *, alone: bool) -> Comes:
    """Where photos of which the facts are known come; `alone` where nothing else is described."""
    certain = [fact for fact in facts if fact.certain]
    if any(fact.kind in _FIRST for fact in certain) or (alone and len(certain) == len(facts)):
        return "ahead"
    # "A man in a hat" means the hat, whatever else is called so.
    return "beside" if certain or alone else "behind"


def meeting(facts: Sequence[Fact], ids: Callable[[Fact], Ids]) -> list[Ids]:
    """The photos that meet most of the certain facts, or of all where none is certain.

    In groups, each rising: first those that meet the most of the others.
    """
    certain = [fact for fact in facts if fact.certain] or list(facts)
    chosen, counts = _counts([ids(fact) for fact in certain])
    chosen = chosen[counts == counts.max(initial=0)]
    others, met = _counts([ids(fact) for fact in facts if fact not in certain])
    also = np.zeros(int(max(chosen.max(initial=-1), others.max(initial=-1))) + 1, np.int64)
    also[others] = met
    groups = (chosen[also[chosen] == count] for count in range(len(facts), -1, -1))
    return [group for group in groups if len(group)]


def _counts(several: Sequence[Ids]) -> tuple[Ids, Ids]:
    """The photos, rising, and in how many of the lists each is."""
    photos, counts = np.unique(
        np.concatenate([np.empty(0, np.int64), *several]), return_counts=True
    )
    return photos, counts
