"""What reading a query depends on, beside its text: a library's names, places, and the locale."""

from __future__ import annotations

from index import Place
from index.catalogue.selection import Selection
from photosearch.search.dates import Locale
from photosearch.search.filters import World
from photosearch.search.lexicon import Lexicon


class Worlds:
    """Those of one library, of which what takes long is kept until the library has changed."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._places: tuple[tuple[int, int], frozenset[str]] | None = None
        self._names: tuple[tuple[int, int], Lexicon] | None = None

    def of(self, locale: str) -> World:
        """For a locale, as the library is now."""
        selection = self._selection
        edition = selection.edition
        if self._places is None or self._places[0] != edition:
            self._places = edition, frozenset(selection.places())
        where = Locale.of(locale)

        def lives_south() -> bool:
            mostly = selection.southern()
            return where.southern if mostly is None else mostly

        return World(
            lexicon=self._lexicon(),
            met=lambda condition: bool(len(selection.ids((condition,)))),
            places=self._places[1],
            called=_called,
            locate=self.locate,
            town_at=_town_at,
            locale=where,
            lives_south=lives_south,
        )

    def _lexicon(self) -> Lexicon:
        """What words may name, read again when the library has changed."""
        selection = self._selection
        edition = selection.edition
        if self._names is None or self._names[0] != edition:
            self._names = edition, Lexicon(selection.names())
        return self._names[1]

    def locate(self, name: str) -> tuple[float, float] | None:
        """Where a place lies: by the photos taken there, or else by the list of towns."""
        from photosearch.indexing.places import place_named

        return self._selection.centre(name, _called(name)) or place_named(name)


def _called(name: str) -> tuple[Place, ...]:
    # Imported only for queries that name a place.
    from photosearch.indexing.place_names import places_called

    return places_called(name)


def _town_at(latitude: float, longitude: float) -> str:
    from photosearch.indexing.places import town_at

    return town_at(latitude, longitude)
