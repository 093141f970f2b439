"""What a search gives: hits, and what was understood of the query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from photosearch.search.query import Query


@dataclass(frozen=True)
class Hit:
    """A photo that matches.

    `score` is the cosine of query and photo, less what it shows and should not; None when nothing
    was asked for but filters. Width and height are in pixels, and `taken_at` is local time.
    """

    photo_id: int
    path: str
    score: float | None
    width: int
    height: int
    taken_at: str | None = None


class Hits(list[Hit]):
    """Hits in the order asked for; `query` is what was understood, `total` how many there are.

    `beyond` more photos are not shown, because they do not look like what was asked for: their
    scores are below `cutoff`. It is None where nothing is cut off.
    """

    def __init__(
        self,
        hits: Iterable[Hit] = (),
        *,
        query: Query,
        total: int = 0,
        beyond: int = 0,
        cutoff: float | None = None,
    ) -> None:
        super().__init__(hits)
        self.query = query
        self.total = total
        self.beyond = beyond
        self.cutoff = cutoff
