"""From a query to the photos that answer it, in the order asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.conditions import Condition
from photosearch.errors import UsageError
from photosearch.search.compose import Composed, rank

if TYPE_CHECKING:
    from index import VectorIndex
    from index.selection import Selection

Sort: TypeAlias = Literal["relevance", "newest", "oldest"]
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")

# By date come the photos that fit best, so many of them, then the next as many, and so on.
BLOCK = 1000

Scored: TypeAlias = "list[tuple[int, float | None]]"


def check_page(limit: int, offset: int, sort: str) -> None:
    """Raises `UsageError` when no page can be made of these."""
    if limit < 1:
        raise UsageError(f"a limit of {limit} photos shows nothing; ask for at least 1")
    if offset < 0:
        raise UsageError(f"an offset of {offset} is before the first photo; give 0 or more")
    if sort not in SORTS:
        raise UsageError(f"{sort!r} is no order; sort by {', '.join(SORTS)}")


def check_asked(asked: object) -> None:
    """Raises `UsageError` when there is nothing to look for."""
    if not asked:
        raise UsageError('the description is empty; describe the photo, as in "a dog on a beach"')


def selected(
    selection: Selection, conditions: Sequence[Condition], *, limit: int, offset: int, sort: Sort
) -> tuple[Scored, int]:
    """A page of the photos that meet all conditions, newest first unless asked, and how many."""
    ids = selection.ids(conditions)
    page = by_date(selection, [int(one) for one in ids], oldest=sort == "oldest")
    return [(one, None) for one in page[offset : offset + limit]], len(ids)


def ranked(
    selection: Selection,
    vectors: VectorIndex,
    composed: Composed,
    conditions: Sequence[Condition],
    typical: NDArray[np.int64],
    *,
    without: int | None = None,
    limit: int,
    offset: int,
    sort: Sort,
) -> tuple[Scored, int]:
    """A page of the photos that are like `composed` and meet all conditions, and how many.

    The conditions go into the vector search, so the page is of the true order. `without` leaves
    one photo out.
    """
    among = selection.ids(conditions) if conditions or without is not None else None
    if among is not None and without is not None:
        among = among[among != without]
    end = offset + limit
    wanted = end if sort == "relevance" else -(-end // BLOCK) * BLOCK
    scores, ids = rank(composed, vectors, wanted, among=among, typical=typical)
    found: Scored = [(int(one), float(score)) for one, score in zip(ids, scores, strict=True)]
    if sort != "relevance":
        first = (offset // BLOCK) * BLOCK
        known = dict(found)
        found = found[:first] + [
            (one, known[one])
            for start in range(first, len(found), BLOCK)
            for one in by_date(
                selection,
                [photo for photo, _ in found[start : start + BLOCK]],
                oldest=sort == "oldest",
            )
        ]
    total = len(found) if len(found) < wanted else rankable(vectors, composed, among)
    return found[offset:end], total


def rankable(vectors: VectorIndex, composed: Composed, among: NDArray[np.int64] | None) -> int:
    """How many photos, all or those of `among`, can be ranked: those that the model has encoded."""
    if among is None:
        return len(vectors)
    if not len(among):
        return 0
    _, ids = vectors.search(composed.like[None], len(among), among=among)
    return int(ids.shape[1])


def by_date(selection: Selection, ids: Sequence[int], *, oldest: bool) -> list[int]:
    """The photos in the order of when they were taken; those that do not say come last."""
    taken = selection.taken(ids)
    dated = [one for one in ids if one in taken]
    dated.sort(key=lambda one: (taken[one], one), reverse=not oldest)
    return dated + [one for one in ids if one not in taken]
