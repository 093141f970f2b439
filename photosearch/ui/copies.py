"""Photos that are there more than once, looked for and kept until they are looked for again."""

from __future__ import annotations

from photosearch.library import Library
from photosearch.search.duplicates import Duplicates
from photosearch.serving.library_thread import LibraryThread


class Copies:
    """The groups of photos, those that take most space first; with near-duplicates or without."""

    def __init__(self, slow: LibraryThread) -> None:
        self._slow = slow
        self._found: dict[bool, list[Duplicates]] = {}

    async def look(self, near: bool, *, anew: bool) -> list[Duplicates]:
        """What was found before, unless it is to be looked `anew`; with `near` it takes a while."""
        if anew or near not in self._found:
            self._found[near] = await self._slow.ask(lambda it: _look(it, near))
        return self._found[near]


def _look(library: Library, near: bool) -> list[Duplicates]:
    """As recorded and looked up on disk; to read all files would take as long as to copy them."""
    told = library.photos.duplicates(near_too=near, read=False)
    found = [each for each in told if isinstance(each, Duplicates)]
    return sorted(found, key=lambda each: -each.spare_bytes)
