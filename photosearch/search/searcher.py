"""Answering the queries put to one library, from what was typed to the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, Verdict
from index.catalogue.conditions import Condition, Showing
from index.catalogue.people import called
from photosearch.elsewhere.addresses import is_address
from photosearch.encoders import Calibration, Encoder
from photosearch.errors import BundleError, UsageError
from photosearch.search.compose import Composed, compose, penalties
from photosearch.search.dates import Locale
from photosearch.search.embed import Picture
from photosearch.search.file_dates import by_file_date
from photosearch.search.filters import Filters, World
from photosearch.search.find import (
    Compared,
    Ranking,
    Selected,
    View,
    check_asked,
)
from photosearch.search.fused import Fused, meeting, where_known
from photosearch.search.glossed import glossed
from photosearch.search.hit_page import page_of_hits
from photosearch.search.hits import Hits
from photosearch.search.judged import judged_query
from photosearch.search.kept import Kept
from photosearch.search.parse import parse
from photosearch.search.query import Described, Fact, Given, Pictured, Query, Term
from photosearch.search.relevance import Relevant, can_be_judged
from photosearch.search.worlds import Worlds

if TYPE_CHECKING:
    from photosearch.search.instead import Instead
    from photosearch.search.tally import Tally
    from photosearch.search.why import Why

Looks: TypeAlias = "Compared | Relevant"


class Searcher:
    """Searches one catalogue, and keeps what the next search can use again.

    `encoder` gives the model that answers, and is asked anew at each search: another may have come
    into use. A search by filters alone needs none. `calibration` gives what tells which of its
    cosines mean something.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Callable[[], Encoder],
        calibration: Callable[[Encoder], Calibration | None],
    ) -> None:
        self._catalogue, self._encoder, self._calibration = catalogue, encoder, calibration
        self._worlds = Worlds(catalogue.selection)
        self._kept = Kept(catalogue)

    def world(self, locale: str) -> World:
        """What reading a query depends on, for this library and locale."""
        return self._worlds.of(locale)

    def understand(self, text: str, *, literal: bool = False, locale: str = "") -> Query:
        """See `Library.understand`."""
        query = self.parsed(text, literal, locale)
        if _describes(query.terms):
            # Without a model nothing is translated.
            with suppress(BundleError):
                return glossed(query, locale, self._encoder().languages)
        return query

    def parsed(self, text: str, literal: bool, locale: str) -> Query:
        """As `understand`, before words of other languages are read as English."""
        return parse(text, self._worlds.of(locale), literal=literal)

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
        query = self.parsed(text, literal, locale)
        terms = _terms(query, images)
        conditions = by_file_date((*query.conditions, *self._conditions(filters, locale)))
        check_asked(terms or conditions)
        selection = self._catalogue.selection
        if not terms:
            chosen = selection.ids(conditions)
            oldest = view.sort == "oldest"
            return self._page(Selected(selection, chosen, oldest=oldest), view, query)
        encoder = self._encoder()
        query, ranking = self._ranked(
            encoder, query, conditions, images, files=files, everything=everything, locale=locale
        )
        return Hits(query=query) if ranking is None else self._page(ranking, view, query, encoder)

    def ids(
        self,
        query: Query,
        conditions: Sequence[Condition],
        images: Sequence[Picture] = (),
        *,
        everything: bool = False,
        locale: str = "",
    ) -> NDArray[np.int64]:
        """Ids (n,), in no order, of all photos that `query` finds under these conditions."""
        allowed = by_file_date(conditions)
        if not everything and _terms(query, images):
            _, ranking = self._ranked(self._encoder(), query, allowed, images, locale=locale)
            if isinstance(ranking, (Relevant, Fused)):
                return ranking.ids
        return self._catalogue.selection.ids(allowed)

    def _ranked(
        self,
        encoder: Encoder,
        query: Query,
        conditions: Sequence[Condition],
        images: Sequence[Picture],
        *,
        files: bool = False,
        everything: bool = False,
        locale: str = "",
    ) -> tuple[Query, Looks | Fused | None]:
        """The query as the model reads it, and the photos that meet the conditions, in the order in
        which they fit; None where no photo has a vector.
        """
        selection = self._catalogue.selection
        terms = _terms(query, images)
        if _describes(terms):
            encoder.load_ahead()
            query = glossed(query, locale, encoder.languages)
            terms = _terms(query, images)
        if not len(self._kept.vectors(encoder.bundle_id)):
            return query, None
        composed = compose(self._kept.embedder(encoder).vectors(terms, images, files=files))
        among = selection.ids(conditions) if conditions else None
        ranking = self._compared(encoder, composed, among)
        seen = ranking if everything else self._judged(encoder, ranking, terms)
        if not query.facts:
            return query, seen

        def alike(terms: Sequence[Term], among: NDArray[np.int64]) -> Compared:
            like = compose(self._kept.embedder(encoder).vectors(terms, images, files=files))
            return self._compared(encoder, like, among)

        rest = _terms(replace(query, terms=query.rest), images)
        return query, self._fused(encoder, seen, query.facts, terms, rest, conditions, alike)

    def _fused(
        self,
        encoder: Encoder,
        seen: Looks,
        facts: Sequence[Fact],
        terms: Sequence[Term],
        rest: Sequence[Term],
        conditions: Sequence[Condition],
        alike: Callable[[Sequence[Term], NDArray[np.int64]], Compared],
    ) -> Fused:
        """What looks so, and of what it is known, which is in order of the `rest` of the terms."""
        selection = self._catalogue.selection
        groups = meeting(facts, lambda fact: selection.ids((*conditions, fact.condition)))
        every = np.sort(np.concatenate([np.empty(0, np.int64), *groups]))
        alone = not any(term.weight > 0 for term in rest)
        if alone:
            ordered = [selection.by_date(group, oldest=False) for group in groups]
        else:
            certain = any(fact.certain for fact in facts)
            like = alike(rest, every)
            # Words that may mean what they say bring in only what looks like the rest.
            ranking = like if certain else self._judged(encoder, like, rest)
            _, best = ranking.best(max(1, len(every)))
            places = np.full(int(every.max(initial=-1)) + 1, len(best))
            places[best] = np.arange(len(best))
            looking = [group[places[group] < len(best)] for group in groups]
            ordered = [group[np.argsort(places[group])] for group in looking]
            if certain:  # those without a vector come last
                ordered.append(every[places[every] == len(best)])
        return Fused(
            seen,
            np.concatenate([np.empty(0, np.int64), *ordered]),
            lambda ids: alike(terms, ids).first(len(ids)),
            self._kept.vectors(encoder.bundle_id).count,
            comes=where_known(facts, alone=alone),
        )

    def instead(
        self,
        text: str,
        *,
        filters: Filters | None,
        images: Sequence[Picture],
        files: bool,
        locale: str,
        tally: Callable[[], Tally],
    ) -> Instead:
        """See `Library.instead`; `tally` gives the names that photos have."""
        # Most commands that search need it not, and would wait for it.
        from photosearch.search.instead import Asked, Instead, instead

        def count(text: str, filters: Filters | None) -> int:
            if not text and filters is None and not images:
                return 0
            hits = self.search(
                text,
                View(limit=1),
                filters=filters,
                images=images,
                literal=False,
                files=files,
                everything=False,
                locale=locale,
            )
            return hits.total

        if not len(self._catalogue.selection.ids(())):
            return Instead()
        asked = Asked(
            understand=lambda text: self.parsed(text, False, locale),
            count=count,
            cities=self._catalogue.selection.cities,
            locate=self._worlds.locate,
            tally=tally,
            locale=Locale.of(locale),
        )
        return instead(text, filters, asked)

    def similar(
        self,
        photo: int | str,
        view: View,
        *,
        filters: Filters | None,
        files: bool,
    ) -> Hits:
        """See `Photos.similar`."""
        view.check()
        selection = self._catalogue.selection
        encoder = self._encoder()
        itself, vector = self._kept.embedder(encoder).looked_up(photo, files=files)
        chosen = selection.ids(by_file_date(self._conditions(filters)))
        ranking = Compared(
            compose([(vector, 1.0)]),
            self._kept.vectors(encoder.bundle_id),
            chosen if itself is None else chosen[chosen != itself],
            None,
        )
        return self._page(ranking, view, Query("", (Term(Pictured(photo)),)), encoder)

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
        """See `Photos.why`."""
        from photosearch.search.why import Why, heat_map, seen_area, shares

        query = self.parsed(text, literal, locale)
        if not _terms(query, images):
            raise UsageError(f"{text!r} describes nothing that a photo could show; describe it")
        encoder = self._encoder()
        terms = _terms(glossed(query, locale, encoder.languages), images)
        embedding = self._kept.embedder(encoder)
        path = self._path(photo)
        if not files and is_address(path):
            raise UsageError(f"{path}: is in no folder, and no server fetches it to look at it")
        picture = embedding.read(path)
        seen = encoder.encode_pixels(picture.pixels[None])[0]
        weighed = embedding.vectors(terms, images, files=files)
        composed = compose(weighed)
        off: list[float] = []
        if composed.unlike:
            off = penalties(composed, seen, self._kept.sample(encoder.bundle_id))
        found = shares(embedding.texts, seen, terms, [vector for vector, _ in weighed], off)
        # Cut off as a search for the text would be, among the photos that its filters allow.
        conditions = by_file_date(query.conditions)
        among = self._catalogue.selection.ids(conditions) if conditions else None
        ranking = self._compared(encoder, composed, among)
        judged = self._judged(encoder, ranking, terms)
        return Why(
            path=path,
            score=sum(share.adds for share in found),
            cutoff=judged.cutoff if isinstance(judged, Relevant) else None,
            terms=found,
            grid=heat_map(encoder, picture.pixels, seen, composed.like),
            area=seen_area(encoder.preprocess.settings, picture.width, picture.height),
        )

    def people_meant(self, text: str, *, literal: bool, locale: str) -> set[str]:
        """Whom a text names, by the names that are shown."""
        query = self.parsed(text, literal, locale)
        names = [
            part.meaning for part in query.parts if (part.kind, part.name) == ("fact", "person")
        ]
        names += [
            part.condition.person for part in query.parts if isinstance(part.condition, Showing)
        ]
        everybody = self._catalogue.selection.people()
        return {one.name for name in names for one in called(everybody, name)}

    def read(self, verdicts: Sequence[Verdict]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of their queries, as the model reads them without any layer."""
        encoder = self._encoder()
        found = [
            glossed(judged_query(one.query), one.locale, encoder.languages) for one in verdicts
        ]
        return self._kept.embedder(encoder).unadapted([query.terms[0] for query in found])

    def _compared(
        self, encoder: Encoder, composed: Composed, among: NDArray[np.int64] | None
    ) -> Compared:
        return Compared(
            composed,
            self._kept.vectors(encoder.bundle_id),
            among,
            self._kept.sample(encoder.bundle_id) if composed.unlike else None,
        )

    def _judged(self, encoder: Encoder, ranking: Compared, terms: Sequence[Term]) -> Looks:
        """The ranking, cut off where photos no longer fit, if that can be told."""
        calibration = self._calibration(encoder) if can_be_judged(terms) else None
        if calibration is None:
            return ranking
        size = max(1, ranking.total())
        line = self._kept.embedder(encoder).line(terms, lambda text: calibration.least(text, size))
        return Relevant(ranking, calibration, line)

    def _path(self, photo: int | str) -> str:
        if isinstance(photo, str):
            return photo
        known = self._catalogue.photo(photo)
        if known is None:
            raise UsageError(f"{photo}: no photo of the library has this id; give one that has")
        return known.path

    def _conditions(self, filters: Filters | None, locale: str = "") -> tuple[Condition, ...]:
        return () if filters is None else filters.conditions(self._worlds.of(locale))

    def _page(
        self, ranking: Ranking, view: View, query: Query, encoder: Encoder | None = None
    ) -> Hits:
        return page_of_hits(
            self._catalogue, self._kept, ranking, view, query, encoder, self._encoder
        )


def _describes(terms: Sequence[Term]) -> bool:
    return any(isinstance(term.content, Described) for term in terms)


def _terms(query: Query, images: Sequence[Picture]) -> tuple[Term, ...]:
    """Those of the text, and the pictures given with it that it does not name."""
    named = {term.content.number for term in query.terms if isinstance(term.content, Given)}
    rest = [Term(Given(n)) for n in range(1, len(images) + 1) if n not in named]
    return (*query.terms, *rest)
