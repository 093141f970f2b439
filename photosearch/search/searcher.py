"""Answering the queries put to one library, from what was typed to the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, FaissIndex
from photosearch.encoders import Encoder
from photosearch.search.compose import SAMPLE, compose
from photosearch.search.embed import Embedder, Picture
from photosearch.search.filters import Filters, World
from photosearch.search.find import Scored, Sort, check_asked, check_page, ranked, selected
from photosearch.search.hits import Hit, Hits
from photosearch.search.parse import parse
from photosearch.search.query import Given, Query, Term
from photosearch.search.relevance import can_be_judged, relevant


class Searcher:
    """Searches one catalogue, and keeps what the next search can use again.

    `encoder` gives the model that answers, and is asked anew at each search: another may have come
    into use. A search by filters alone needs none.
    """

    def __init__(self, catalogue: Catalogue, encoder: Callable[[], Encoder]) -> None:
        self._catalogue, self._encoder = catalogue, encoder
        self._embedder: Embedder | None = None
        self._vectors: tuple[tuple[str, int], FaissIndex] | None = None
        self._places: tuple[tuple[int, int], frozenset[str]] | None = None
        self._sample: tuple[int, NDArray[np.int64]] | None = None

    def understand(self, text: str, *, literal: bool = False) -> Query:
        """See `Library.understand`."""
        return parse(text, self._world(), literal=literal)

    def search(
        self,
        text: str,
        *,
        limit: int,
        offset: int,
        sort: Sort,
        filters: Filters | None,
        images: Sequence[Picture],
        literal: bool,
        files: bool,
        everything: bool,
    ) -> Hits:
        """See `Library.search`."""
        check_page(limit, offset, sort)
        query = self.understand(text, literal=literal)
        named = {t.content.number for t in query.terms if isinstance(t.content, Given)}
        rest = [Term(Given(n)) for n in range(1, len(images) + 1) if n not in named]
        terms = (*query.terms, *rest)
        conditions = query.conditions
        if filters is not None:
            conditions = (*conditions, *filters.conditions(self._world()))
        check_asked(terms or conditions)
        if terms:
            encoder = self._encoder()
            vectors = self._current_vectors(encoder.bundle_id)
            if not len(vectors):
                return self._hits([], query, 0)
            composed = compose(self._embedding(encoder).vectors(terms, images, files=files))
            typical = self._typical() if composed.unlike else np.empty(0, np.int64)
            calibration = encoder.calibration
            if calibration is not None and not everything and can_be_judged(terms):
                judged = relevant(
                    self._catalogue.selection,
                    vectors,
                    composed,
                    calibration,
                    conditions,
                    typical,
                    limit=limit,
                    offset=offset,
                    sort=sort,
                )
                return self._hits(judged.page, query, judged.total, judged.beyond, judged.cutoff)
            found, total = ranked(
                self._catalogue.selection,
                vectors,
                composed,
                conditions,
                typical,
                limit=limit,
                offset=offset,
                sort=sort,
            )
        else:
            found, total = selected(
                self._catalogue.selection, conditions, limit=limit, offset=offset, sort=sort
            )
        return self._hits(found, query, total)

    def _hits(
        self,
        found: Scored,
        query: Query,
        total: int,
        beyond: int = 0,
        cutoff: float | None = None,
    ) -> Hits:
        scores = dict(found)
        taken = self._catalogue.selection.taken(list(scores))
        hits = (
            Hit(
                photo.id,
                photo.path,
                scores[photo.id],
                photo.width,
                photo.height,
                taken.get(photo.id),
            )
            for photo in self._catalogue.photos(list(scores))
        )
        return Hits(hits, query=query, total=total, beyond=beyond, cutoff=cutoff)

    def _world(self) -> World:
        selection = self._catalogue.selection
        edition = selection.edition
        if self._places is None or self._places[0] != edition:
            self._places = edition, frozenset(selection.places())
        return World(places=self._places[1], locate=selection.centre)

    def _embedding(self, encoder: Encoder) -> Embedder:
        if self._embedder is None or self._embedder.encoder is not encoder:
            self._embedder = Embedder(encoder, self._catalogue)
        return self._embedder

    def _typical(self) -> NDArray[np.int64]:
        """Photos, spread over the library, by which to tell what is typical of it."""
        generation = self._catalogue.generation
        if self._sample is None or self._sample[0] != generation:
            ids = self._catalogue.selection.ids(())
            self._sample = generation, ids[:: -(-len(ids) // SAMPLE)] if len(ids) else ids
        return self._sample[1]

    def _current_vectors(self, bundle_id: str) -> FaissIndex:
        state = (bundle_id, self._catalogue.generation)
        if self._vectors is None or self._vectors[0] != state:
            self._vectors = state, FaissIndex.open(self._catalogue, bundle_id)
        return self._vectors[1]
