"""What a search gives: hits, and what was understood of the query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from index import ListedPhoto
from photosearch.search.groups import HitGroup
from photosearch.search.query import Query


@dataclass(frozen=True)
class Hit:
    """A photo that matches.

    `score` is the cosine of query and photo, less what it shows and should not; None when nothing
    was asked for but filters. Width and height are in pixels. `taken_at` is local time, as exactly
    as it is known, and `taken_source` where it is from, both as in `index.Metadata`.
    `others` are the photos that show the same, best first, where these are collapsed. `group` is
    the day or event, where hits are grouped. Of a video `moment` is where it matches best, in
    seconds from its beginning.
    """

    photo_id: int
    path: str
    score: float | None
    width: int
    height: int
    taken_at: str | None = None
    others: tuple[Hit, ...] = ()
    group: HitGroup | None = None
    moment: float | None = None
    taken_source: str | None = None


class Hits(list[Hit]):
    """Hits in the order asked for.

    `query` is what was understood. `total` is how many photos there are on all pages, counting
    those that are collapsed into others; `more` is whether another page follows. `beyond` more
    photos are not shown, because they do not look like what was asked for: their scores are below
    `cutoff`. It is None where nothing is cut off. `offset` is how many hits come before this page.
    `listed` has each photo on this page by its id,
    also those that are collapsed into others, with more of what the catalogue says of it.
    """

    def __init__(
        self,
        hits: Iterable[Hit] = (),
        *,
        query: Query,
        listed: Mapping[int, ListedPhoto] | None = None,
        total: int = 0,
        more: bool = False,
        beyond: int = 0,
        cutoff: float | None = None,
        offset: int = 0,
    ) -> None:
        super().__init__(hits)
        self.query = query
        self.listed = listed or {}
        self.total = total
        self.beyond = beyond
        self.cutoff = cutoff
        self.more = more
        self.offset = offset

    @property
    def groups(self) -> list[tuple[HitGroup, list[Hit]]]:
        """The hits by group, in their order; none where they are not grouped."""
        grouped = [(hit.group, hit) for hit in self if hit.group is not None]
        return [
            (group, [hit for _, hit in each])
            for group, each in groupby(grouped, key=lambda pair: pair[0])
        ]
