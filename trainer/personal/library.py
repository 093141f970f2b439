"""What a library of photosearch holds: its photos where they lie, and the words of its owner.

It is read as any other program would, through `photosearch.Library`, and never changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photosearch import Library

# Keywords that are taken.
_WORDS = 1000
_AT_ONCE = 1000


@dataclass(frozen=True)
class LibraryPhoto:
    """A photo: where it lies, and the BLAKE3 hash of its bytes in hex."""

    path: str
    digest: str


@dataclass(frozen=True)
class LibraryContents:
    """Photos in an order that depends on their bytes alone, each once; and the owner's words:
    keywords, people and places, and what was searched for and saved."""

    photos: tuple[LibraryPhoto, ...]
    words: tuple[str, ...]
    searches: tuple[str, ...]


def read_library(folder: Path, limit: int | None = None) -> LibraryContents:
    """At most `limit` of the photos in the library `folder`, without videos and missing files.

    Raises `ValueError` when there is no library, or it has no photos; `PhotosearchError`.
    """
    from photosearch import Library

    if not Library.exists(folder):
        raise ValueError(f"{folder}: there is no library here; `photosearch index` makes one")
    with Library.open(folder, readonly=True) as library:
        found = {one.digest: one for one in _photos(library)}
        words: dict[str, None] = {}
        for facet in library.photos.facets("", ("person", "place")):
            words |= dict.fromkeys(choice.value for choice in facet.choices)
        words |= dict.fromkeys(library.marks.keywords("", limit=_WORDS))
        searches = []
        for saved in library.saved.all():
            for term in library.understand(saved.text).terms:
                text = getattr(term.content, "text", "")
                searches += [text] if text else []
    photos = sorted(found.values(), key=lambda one: hashlib.sha256(one.digest.encode()).digest())
    if not photos:
        raise ValueError(f"{folder}: the library holds no photos; index some first")
    return LibraryContents(tuple(photos[:limit]), tuple(words), tuple(searches))


def _photos(library: Library) -> Iterator[LibraryPhoto]:
    start = 0
    while page := library.photos.browse(offset=start, limit=_AT_ONCE):
        for one in page:
            if one.digest is not None and one.format != "VIDEO" and not one.missing:
                yield LibraryPhoto(one.path, one.digest.hex())
        start += len(page)
