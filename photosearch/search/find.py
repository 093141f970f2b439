"""From what was asked for to a page of photos, in the order asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from index import VectorIndex
from index.catalogue.gathered import Gathered
from index.catalogue.selection import Selection
from photosearch.errors import UsageError
from photosearch.search.compose import Composed, rank, rank_within
from photosearch.search.groups import GROUPINGS, Grouping, HitGroup

Sort: TypeAlias = Literal["relevance", "newest", "oldest"]
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")

# By date or group, this many of the photos that fit best come first, then as many again, and so on.
BLOCK = 1000

# How far from where it was a photo is looked for that a page goes on behind, at least.
_DRIFT = 1000

Scored: TypeAlias = "list[tuple[int, float | None]]"
Stacks: TypeAlias = "list[list[int]]"


class View(Struct, frozen=True, kw_only=True):
    """How what was found is shown: its order, which part of it, and what goes together.

    With `collapse` photos that show the same count as one. `group` keeps those of one day or event
    together. `after` are ids of the last photos of the page before, the very last first: the page
    begins behind the first of them that is still found, and at `offset` where none is.
    """

    limit: int = 20
    offset: int = 0
    after: tuple[int, ...] = ()
    sort: Sort = "relevance"
    group: Grouping | None = None
    collapse: bool = False

    def check(self) -> None:
        """Raises `UsageError` when no page can be made."""
        if self.limit < 1:
            raise UsageError(f"a limit of {self.limit} photos shows nothing; ask for at least 1")
        if self.offset < 0:
            raise UsageError(
                f"an offset of {self.offset} is before the first photo; give 0 or more"
            )
        if self.sort not in SORTS:
            raise UsageError(f"{self.sort!r} is no order; sort by {', '.join(SORTS)}")
        if self.group is not None and self.group not in GROUPINGS:
            raise UsageError(f"{self.group!r} is no group; group by {' or '.join(GROUPINGS)}")


def check_asked(asked: object) -> None:
    """Raises `UsageError` when there is nothing to look for."""
    if not asked:
        raise UsageError('the description is empty; describe the photo, as in "a dog on a beach"')


class Ranking(Protocol):
    """Photos in the order in which they answer a query.

    By date or group the first `block` of them are put in order, then the next as many, and so on;
    all of them where it is None.
    """

    block: int | None

    def first(self, count: int) -> Scored:
        """The first so many photos, or all there are, with their scores."""

    def total(self) -> int:
        """How many there are."""


class Selected:
    """Photos that meet conditions, where nothing is described: by date."""

    block: int | None = None

    def __init__(self, selection: Selection, ids: NDArray[np.int64], *, oldest: bool) -> None:
        self._ids = selection.by_date(ids, oldest=oldest)

    def first(self, count: int) -> Scored:
        return [(one, None) for one in self._ids[:count].tolist()]

    def total(self) -> int:
        return len(self._ids)


class Compared:
    """Photos, all or `among` these, by how much they are like what is asked for."""

    # Every photo of the library has a place in it, which is no reason to show the newest first.
    block: int | None = BLOCK

    def __init__(
        self,
        composed: Composed,
        vectors: VectorIndex,
        among: NDArray[np.int64] | None,
        typical: Gathered | None,
    ) -> None:
        self._composed, self._vectors = composed, vectors
        self._among, self._typical = among, typical
        self.like = composed.like
        self._scores, self._ids = np.empty(0, np.float32), np.empty(0, np.int64)
        self._complete = False

    def best(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and ids of the first so many photos, or of all there are."""
        if count > len(self._ids) and not self._complete:
            self._scores, self._ids = rank(
                self._composed, self._vectors, count, among=self._among, typical=self._typical
            )
            self._complete = len(self._ids) < count
        return self._scores[:count], self._ids[:count]

    def first(self, count: int) -> Scored:
        return scored(*self.best(count))

    def within(self, least: float, gap: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores (n,) and ids (n,), best first, of all whose score is `least` or more, and no more
        than `gap` below the best.
        """
        return rank_within(
            self._composed, self._vectors, least, gap, among=self._among, typical=self._typical
        )

    def total(self) -> int:
        if self._complete:
            return len(self._ids)
        if self._among is None:
            return len(self._vectors)
        return self._vectors.count(self._among)


def scored(scores: NDArray[np.float32], ids: NDArray[np.int64]) -> Scored:
    return list(zip(ids.tolist(), scores.tolist(), strict=True))


class Page(Struct, frozen=True):
    """Stacks of photos, the best first on each, their scores, and whether there is another page.

    `offset` is how many stacks come before.
    """

    stacks: Stacks
    scores: dict[int, float | None]
    more: bool
    offset: int


def page(
    ranking: Ranking,
    view: View,
    selection: Selection,
    stack: Callable[[Sequence[int]], Stacks],
    group_of: Callable[[int], HitGroup] | None,
) -> Page:
    """The part of a ranking that `view` asks for.

    `stack` puts photos that show the same on stacks, and is used to collapse; `group_of` gives a
    photo's group, and is None where they are not grouped. Pages of one view never overlap, and
    leave nothing out.
    """
    ordered = view.sort != "relevance" or group_of is not None
    block = ranking.block or ranking.total() or 1

    def first(count: int) -> tuple[Scored, Stacks]:
        """So many stacks in the order asked for, or some more, or all there are."""
        needed = -(-count // block) * block if ordered else count
        found, stacks = _stacks(ranking, needed, stack if view.collapse else _apart)
        if ordered:
            stacks = [
                one
                for start in range(0, len(stacks), block)
                for one in _ordered(stacks[start : start + block], view, selection, group_of)
            ]
        return found, stacks

    asked = view.offset + view.limit + 1
    found, stacks = first(asked)
    start = _behind(view.after, stacks)
    if view.after and start is None and len(stacks) >= asked:
        # So many may have come before it; where they are more, it counts as gone.
        asked += max(view.offset, _DRIFT)
        found, stacks = first(asked)
        start = _behind(view.after, stacks)
    if start is None:
        start = view.offset
    end = start + view.limit
    if asked <= len(stacks) <= end:  # fewer than were asked for are all there are
        found, stacks = first(end + 1)
    return Page(stacks[start:end], dict(found), len(stacks) > end, start)


def _behind(after: Sequence[int], stacks: Stacks) -> int | None:
    """The place behind the first of these photos that is on any of the stacks."""
    if not after:
        return None
    places = {photo: place for place, each in enumerate(stacks) for photo in each}
    return next((places[photo] + 1 for photo in after if photo in places), None)


def _apart(ids: Sequence[int]) -> Stacks:
    return [[one] for one in ids]


def _stacks(
    ranking: Ranking, needed: int, stack: Callable[[Sequence[int]], Stacks]
) -> tuple[Scored, Stacks]:
    """The first so many stacks, or all there are, and the photos on them."""
    take = needed
    while True:
        found = ranking.first(take)
        stacks = stack([one for one, _ in found])
        if len(stacks) >= needed or len(found) < take:
            return found, stacks[:needed]
        take *= 2


def _ordered(
    stacks: Stacks, view: View, selection: Selection, group_of: Callable[[int], HitGroup] | None
) -> Iterator[list[int]]:
    by_leader = {stack[0]: stack for stack in stacks}
    leaders = list(by_leader)
    if view.sort != "relevance":
        ids = np.array(leaders, np.int64)
        leaders = selection.by_date(ids, oldest=view.sort == "oldest").tolist()
    if group_of is not None:
        groups: dict[str, list[int]] = {}
        for leader in leaders:
            groups.setdefault(group_of(leader).key, []).append(leader)
        leaders = [leader for group in groups.values() for leader in group]
    return (by_leader[leader] for leader in leaders)
