"""One page of a ranking, as hits: with what lists show of each, and those that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from index import Catalogue
from photosearch.encoders import Encoder
from photosearch.search.find import Compared, Ranking, View, page
from photosearch.search.fused import Fused
from photosearch.search.hits import Hit, Hits
from photosearch.search.kept import Kept
from photosearch.search.query import Query
from photosearch.search.relevance import Relevant
from photosearch.search.stacks import stacked


def page_of_hits(
    catalogue: Catalogue,
    kept: Kept,
    ranking: Ranking,
    view: View,
    query: Query,
    encoder: Encoder | None,
    opened: Callable[[], Encoder],
) -> Hits:
    """The part of the ranking that `view` asks for.

    `encoder` is the one whose vectors were ranked, None where none were; `opened` gives the one
    whose vectors tell then which photos are alike, and is called only where that is asked.
    """
    selection = catalogue.selection
    groups = None if view.group is None else kept.groups(view.group)

    def stack(ids: Sequence[int]) -> list[list[int]]:
        return stacked(selection, (encoder or opened()).bundle_id, ids)

    found = page(ranking, view, selection, stack, None if groups is None else groups.of)
    ids = [photo for each in found.stacks for photo in each]
    moments: dict[int, float] = {}
    if encoder is not None and isinstance(ranking, (Compared, Relevant, Fused)):
        moments = catalogue.moments(encoder.bundle_id, ids, ranking.like)
    listed = {photo.id: photo for photo in catalogue.listed(ids)}
    hits = {
        photo.id: Hit(
            photo.id,
            photo.path,
            found.scores[photo.id],
            photo.width,
            photo.height,
            photo.taken_at,
            group=None if groups is None else groups.of(photo.id),
            moment=moments.get(photo.id),
            taken_source=photo.taken_source,
        )
        for photo in listed.values()
    }
    stacks = [[hits[photo] for photo in each if photo in hits] for each in found.stacks]
    return Hits(
        (replace(best, others=tuple(others)) for best, *others in filter(None, stacks)),
        query=query,
        listed=listed,
        total=ranking.total(),
        more=found.more,
        offset=found.offset,
        beyond=ranking.beyond if isinstance(ranking, (Relevant, Fused)) else 0,
        cutoff=ranking.cutoff if isinstance(ranking, (Relevant, Fused)) else None,
    )
