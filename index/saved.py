"""Searches that were given a name."""

from __future__ import annotations

from index.connection import Connection
from index.records import SavedSearch


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
        rows = self._connection.rows(
            "SELECT name, text, sort FROM saved_searches WHERE name = ?", [name]
        )
        return SavedSearch(*rows[0]) if rows else None

    def put(self, search: SavedSearch) -> None:
        """Save one, in the place of another of its name."""
        with self._connection.write() as db:
            db.execute(
                "REPLACE INTO saved_searches (name, text, sort) VALUES (?, ?, ?)",
                [search.name, search.text, search.sort],
            )

    def remove(self, name: str) -> bool:
        """Forget one; whether there was one of this name."""
        with self._connection.write() as db:
            return bool(db.execute("DELETE FROM saved_searches WHERE name = ?", [name]).rowcount)
