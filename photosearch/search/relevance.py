"""Of the photos in the order of their scores, those that show what was asked for.

A model that is calibrated says for each text how large a cosine must be (see
`photosearch.encoders.calibration`). Scores with penalties are cosines less something, and are
held to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Calibration
from photosearch.search.compose import Composed, rank
from photosearch.search.find import Scored, Sort, by_date, rankable
from photosearch.search.query import Described, Term

if TYPE_CHECKING:
    from index import Condition, VectorIndex
    from index.selection import Selection

# So many are looked at before it is known whether more are needed.
_FIRST = 256


@dataclass(frozen=True)
class Relevant:
    """A page of the relevant photos, how many these are, and how many `beyond` are not.

    The cut-off is the score that the last of them must have; None where there are no photos.
    """

    page: Scored
    total: int
    beyond: int
    cutoff: float | None


def can_be_judged(terms: Sequence[Term]) -> bool:
    """Whether all that photos should show is said in words; what calibrations are fitted on."""
    wanted = [term for term in terms if term.weight > 0]
    return bool(wanted) and all(isinstance(term.content, Described) for term in wanted)


def relevant(
    selection: Selection,
    vectors: VectorIndex,
    composed: Composed,
    calibration: Calibration,
    conditions: Sequence[Condition],
    typical: NDArray[np.int64],
    *,
    limit: int,
    offset: int,
    sort: Sort,
) -> Relevant:
    """A page of the photos that show what is described and meet all conditions.

    By date all of them are put in order, however many there are.
    """
    among = selection.ids(conditions) if conditions else None
    size = rankable(vectors, composed, among)
    take = min(size, max(_FIRST, offset + limit))
    if not take:
        return Relevant([], 0, 0, None)
    scores, ids = rank(composed, vectors, take, among=among, typical=typical)
    cutoff = calibration.cutoff(composed.like, float(scores[0]), size)
    while scores[-1] >= cutoff and len(scores) == take < size:
        take = min(size, 4 * take)
        scores, ids = rank(composed, vectors, take, among=among, typical=typical)
    count = int((scores >= cutoff).sum())
    known = {int(one): float(score) for one, score in zip(ids[:count], scores, strict=False)}
    order = list(known)
    if sort != "relevance":
        order = by_date(selection, order, oldest=sort == "oldest")
    page: Scored = [(one, known[one]) for one in order[offset : offset + limit]]
    return Relevant(page, count, size - count, cutoff)
