"""Finding out which folders have changed by looking, where nobody tells."""

from __future__ import annotations

import os

from index.paths import is_within
from photosearch.indexing.scan import Found, scan


class Looking:
    """Compares a folder with what it was at the last look. Opens no file."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._seen: dict[str, Found] | None = None

    def changed(self) -> set[str]:
        """The folders whose pictures came, changed or went since the last look; none at first.

        What could not be looked at is taken to be as it was.
        """
        seen: dict[str, Found] = {}
        unknown: list[str] = []
        for item in scan(self._folder):
            if isinstance(item, Found):
                seen[item.path] = item
            else:
                unknown.append(item.path)
        before, self._seen = self._seen, seen
        if before is None:
            return set()
        for path, item in before.items():
            if any(is_within(path, place) for place in unknown):
                seen.setdefault(path, item)
        differ = {
            path for path in before.keys() | seen.keys() if before.get(path) != seen.get(path)
        }
        return {os.path.dirname(path) for path in differ}
