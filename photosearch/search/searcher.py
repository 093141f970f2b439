"""Answering the queries put to one library, from what was typed to the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from index import Catalogue, FaissIndex, Place
from index.conditions import Condition
from index.gathered import Gathered
from photosearch.encoders import Encoder
from photosearch.errors import BundleError, UsageError
from photosearch.search.compose import SAMPLE, compose, penalties
from photosearch.search.dates import Locale
from photosearch.search.embed import Embedder, Picture
from photosearch.search.file_dates import by_file_date
from photosearch.search.filters import Filters, World
from photosearch.search.find import (
    Compared,
    Ranking,
    Selected,
    View,
    check_asked,
    page,
)
from photosearch.search.glossed import glossed
from photosearch.search.groups import Grouping, Groups
from photosearch.search.hits import Hit, Hits
from photosearch.search.parse import parse
from photosearch.search.query import Described, Given, Pictured, Query, Term
from photosearch.search.relevance import Relevant, can_be_judged
from photosearch.search.stacks import stacked
from photosearch.search.why import Why, heat_map, seen_area, shares


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
        self._grouped: tuple[tuple[Grouping, tuple[int, int]], Groups] | None = None
        self._sample: tuple[tuple[str, int], Gathered] | None = None

    def understand(self, text: str, *, literal: bool = False, locale: str = "") -> Query:
        """See `Library.understand`."""
        query = self._parsed(text, literal, locale)
        if _describes(query.terms):
            # Without a model the text means what it says.
            with suppress(BundleError):
                return glossed(query, locale, self._encoder().languages)
        return query

    def _parsed(self, text: str, literal: bool, locale: str) -> Query:
        return parse(text, self._world(locale), literal=literal)

    def search(
        self,
        text: str,
        view: View,
        *,
        filters: Filters | None,
        images: Sequence[Picture],
        literal: bool,
        files: bool,
        everything: bool,
        locale: str = "",
    ) -> Hits:
        """See `Library.search`."""
        view.check()
        query = self._parsed(text, literal, locale)
        terms = _terms(query, images)
        conditions = by_file_date((*query.conditions, *self._conditions(filters, locale)))
        check_asked(terms or conditions)
        selection = self._catalogue.selection
        if not terms:
            chosen = selection.ids(conditions)
            oldest = view.sort == "oldest"
            return self._page(Selected(selection, chosen, oldest=oldest), view, query)
        encoder = self._encoder()
        if _describes(terms):
            encoder.load_ahead()
            query = glossed(query, locale, encoder.languages)
            terms = _terms(query, images)
        vectors = self._current_vectors(encoder.bundle_id)
        if not len(vectors):
            return Hits(query=query)
        composed = compose(self._embedding(encoder).vectors(terms, images, files=files))
        ranking = Compared(
            composed,
            vectors,
            selection.ids(conditions) if conditions else None,
            self._typical(encoder.bundle_id) if composed.unlike else None,
        )
        calibration = encoder.calibration
        if calibration is None or everything or not can_be_judged(terms):
            return self._page(ranking, view, query)
        return self._page(Relevant(ranking, calibration), view, query)

    def similar(
        self,
        photo: int | str,
        view: View,
        *,
        filters: Filters | None,
        files: bool,
    ) -> Hits:
        """See `Library.similar`."""
        view.check()
        selection = self._catalogue.selection
        encoder = self._encoder()
        vector = self._embedding(encoder).photo(photo, files=files)
        known = None if isinstance(photo, int) else self._catalogue.file_at(photo)
        itself = photo if isinstance(photo, int) else known and known.id
        chosen = selection.ids(by_file_date(self._conditions(filters)))
        ranking = Compared(
            compose([(vector, 1.0)]),
            self._current_vectors(encoder.bundle_id),
            chosen if itself is None else chosen[chosen != itself],
            None,
        )
        return self._page(ranking, view, Query("", (Term(Pictured(photo)),)))

    def why(
        self,
        photo: int | str,
        text: str,
        *,
        images: Sequence[Picture],
        literal: bool,
        files: bool,
        locale: str = "",
    ) -> Why:
        """See `Library.why`."""
        query = self._parsed(text, literal, locale)
        if not _terms(query, images):
            raise UsageError(f"{text!r} describes nothing that a photo could show; describe it")
        encoder = self._encoder()
        terms = _terms(glossed(query, locale, encoder.languages), images)
        embedding = self._embedding(encoder)
        path = self._path(photo)
        picture = embedding.read(path)
        seen = encoder.encode_pixels(picture.pixels[None])[0]
        weighed = embedding.vectors(terms, images, files=files)
        composed = compose(weighed)
        off: list[float] = []
        if composed.unlike:
            off = penalties(composed, seen, self._typical(encoder.bundle_id))
        found = shares(encoder, seen, terms, [vector for vector, _ in weighed], off)
        answer = self.search(
            text,
            View(limit=1),
            filters=None,
            images=images,
            literal=literal,
            files=files,
            everything=False,
            locale=locale,
        )
        return Why(
            path=path,
            score=sum(share.adds for share in found),
            cutoff=answer.cutoff,
            terms=found,
            grid=heat_map(encoder, picture.pixels, composed.like),
            area=seen_area(encoder.preprocess.settings, picture.width, picture.height),
        )

    def _path(self, photo: int | str) -> str:
        if isinstance(photo, str):
            return photo
        known = self._catalogue.photo(photo)
        if known is None:
            raise UsageError(f"{photo}: no photo of the library has this id; give one that has")
        return known.path

    def _conditions(self, filters: Filters | None, locale: str = "") -> tuple[Condition, ...]:
        return () if filters is None else filters.conditions(self._world(locale))

    def _page(self, ranking: Ranking, view: View, query: Query) -> Hits:
        selection = self._catalogue.selection
        groups = None if view.group is None else self._groups(view.group)

        def stack(ids: Sequence[int]) -> list[list[int]]:
            return stacked(selection, self._encoder().bundle_id, ids)

        found = page(ranking, view, selection, stack, None if groups is None else groups.of)
        ids = [photo for each in found.stacks for photo in each]
        taken, sources = selection.taken(ids), selection.sources(ids)
        moments: dict[int, float] = {}
        if isinstance(ranking, (Compared, Relevant)):
            bundle_id = self._encoder().bundle_id
            moments = self._catalogue.moments(bundle_id, ids, ranking.like)
        hits = {
            photo.id: Hit(
                photo.id,
                photo.path,
                found.scores[photo.id],
                photo.width,
                photo.height,
                taken.get(photo.id),
                group=None if groups is None else groups.of(photo.id),
                moment=moments.get(photo.id),
                taken_source=sources.get(photo.id),
            )
            for photo in self._catalogue.photos(ids)
        }
        stacks = [[hits[photo] for photo in each if photo in hits] for each in found.stacks]
        return Hits(
            (replace(best, others=tuple(others)) for best, *others in filter(None, stacks)),
            query=query,
            total=ranking.total(),
            more=found.more,
            beyond=ranking.beyond if isinstance(ranking, Relevant) else 0,
            cutoff=ranking.cutoff if isinstance(ranking, Relevant) else None,
        )

    def _groups(self, by: Grouping) -> Groups:
        edition = self._catalogue.selection.edition
        if self._grouped is None or self._grouped[0] != (by, edition):
            self._grouped = (by, edition), Groups(self._catalogue.selection, by)
        return self._grouped[1]

    def _world(self, locale: str) -> World:
        selection = self._catalogue.selection
        edition = selection.edition
        if self._places is None or self._places[0] != edition:
            self._places = edition, frozenset(selection.places())
        where = Locale.of(locale)

        def lives_south() -> bool:
            mostly = selection.southern()
            return where.southern if mostly is None else mostly

        return World(
            places=self._places[1],
            called=_called,
            locate=self._locate,
            locale=where,
            lives_south=lives_south,
        )

    def _locate(self, name: str) -> tuple[float, float] | None:
        """Where a place lies: by the photos taken there, or else by the list of towns."""
        from photosearch.indexing.places import place_named

        return self._catalogue.selection.centre(name, _called(name)) or place_named(name)

    def _embedding(self, encoder: Encoder) -> Embedder:
        if self._embedder is None or self._embedder.encoder is not encoder:
            self._embedder = Embedder(encoder, self._catalogue)
        return self._embedder

    def _typical(self, bundle_id: str) -> Gathered:
        """Photos, spread over the library, by which to tell what is typical of it."""
        state = (bundle_id, self._catalogue.generation)
        if self._sample is None or self._sample[0] != state:
            ids = self._catalogue.selection.ids(())
            chosen = ids[:: -(-len(ids) // SAMPLE)] if len(ids) else ids
            self._sample = state, self._current_vectors(bundle_id).gather(chosen)
        return self._sample[1]

    def _current_vectors(self, bundle_id: str) -> FaissIndex:
        state = (bundle_id, self._catalogue.generation)
        if self._vectors is None or self._vectors[0] != state:
            self._vectors = state, FaissIndex.open(self._catalogue, bundle_id)
        return self._vectors[1]


def _called(name: str) -> tuple[Place, ...]:
    # Only for queries that name a place.
    from photosearch.indexing.place_names import places_called

    return places_called(name)


def _describes(terms: Sequence[Term]) -> bool:
    return any(isinstance(term.content, Described) for term in terms)


def _terms(query: Query, images: Sequence[Picture]) -> tuple[Term, ...]:
    """Those of the text, and the pictures given with it that it does not name."""
    named = {term.content.number for term in query.terms if isinstance(term.content, Given)}
    rest = [Term(Given(n)) for n in range(1, len(images) + 1) if n not in named]
    return (*query.terms, *rest)
