"""Saved searches."""

from __future__ import annotations

from index import SavedSearch
from index.catalogue.saved import SavedSearches
from photosearch.errors import UsageError
from photosearch.explaining import explaining
from photosearch.search.find import SORTS, Sort
from photosearch.search.searcher import Searcher


@explaining
class Saved:
    """`library.saved`: searches under a name, whose case does not matter."""

    def __init__(self, searches: SavedSearches, searcher: Searcher) -> None:
        self._searches, self._searcher = searches, searcher

    def all(self) -> list[SavedSearch]:
        """The saved searches, in order of name. Raises `LibraryError`."""
        return self._searches.all()

    def get(self, name: str) -> SavedSearch:
        """The saved search of this name.

        Raises `UsageError` when there is none; `LibraryError`.
        """
        found = self._searches.get(name)
        if found is None:
            known = ", ".join(each.name for each in self._searches.all()) or "none"
            raise UsageError(f"{name}: there is no saved search of this name; known: {known}")
        return found

    def query(self, name: str, text: str = "", sort: Sort = "relevance") -> tuple[str, Sort]:
        """The text and order of a saved search, with `text` added to it, and `sort` if it is one.

        Raises as `get` does.
        """
        known = self.get(name)
        own = next((order for order in SORTS if order == known.sort), sort)
        return " ".join(filter(None, (known.text, text))), own if sort == "relevance" else sort

    def add(self, name: str, text: str, *, sort: Sort = "relevance") -> SavedSearch:
        """Save what is typed into the box under a name, in the place of another of that name.

        Raises `UsageError` for an empty name, an unknown order, or a text that asks for nothing or
        cannot be understood; `LibraryError`.
        """
        if not name.strip():
            raise UsageError("the name of a saved search is empty; give it one")
        if sort not in SORTS:
            raise UsageError(f"{sort!r} is no order; sort by {', '.join(SORTS)}")
        query = self._searcher.understand(text)
        if not query.terms and not query.conditions:
            raise UsageError("there is nothing to save; give the text of a search")
        saved = SavedSearch(name.strip(), text, sort)
        self._searches.put(saved)
        return saved

    def remove(self, name: str) -> None:
        """Forget a saved search. Raises as `get` does."""
        self._searches.remove(self.get(name).name)
