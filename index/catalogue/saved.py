"""Searches that were given a name."""

from __future__ import annotations

from index.catalogue.connection import Connection
from index.catalogue.functions import same_name
from index.catalogue.records import SavedSearch


class SavedSearches:
    """The saved searches of a catalogue; `Catalogue.saved`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[SavedSearch]:
        """In order of name."""
        return [
            SavedSearch(*row)
            for row in self._connection.rows(
                "SELECT name, text, sort FROM saved_searches ORDER BY name COLLATE NOCASE"
            )
        ]

    def get(self, name: str) -> SavedSearch | None:
        """The one of this name, whatever its case, or None when there is none."""
        return next((one for one in self.all() if same_name(one.name, name)), None)

    def put(self, search: SavedSearch) -> None:
        """Save one, in the place of another of its name."""
        with self._connection.write() as db:
            for other in self.all():
                if same_name(other.name, search.name):
                    db.execute("DELETE FROM saved_searches WHERE name = ?", [other.name])
            db.execute(
                "REPLACE INTO saved_searches (name, text, sort) VALUES (?, ?, ?)",
                [search.name, search.text, search.sort],
            )

    def remove(self, name: str) -> bool:
        """Forget one; whether there was one of this name."""
        found = self.get(name)
        if found is None:
            return False
        with self._connection.write() as db:
            db.execute("DELETE FROM saved_searches WHERE name = ?", [found.name])
        return True
