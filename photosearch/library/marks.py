"""Ratings and keywords of the user's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from index import Catalogue, Mark, WriterLock
from index.catalogue.marks import LEVELS, remarked
from photosearch.errors import UsageError
from photosearch.explaining import explaining
from photosearch.library.named import ids_named
from photosearch.photo import PhotoName, photo_named

if TYPE_CHECKING:
    from photosearch.sidecars import Naming, Sidecar

# What is read of a photo has these limits, too.
_LONGEST, _MOST = 200, 1000
# No text of XML can hold them.
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@explaining
class Marks:
    """`library.marks`: stars and keywords, kept in the library beside what the files say.

    They go before that, in searches and wherever a photo is told of. Copies share them, and they
    stay when files are moved, edited, or indexed again. No photo is touched.
    """

    def __init__(self, catalogue: Catalogue, lock: WriterLock) -> None:
        self._catalogue, self._lock = catalogue, lock

    def of(self, photo_ids: Iterable[int]) -> dict[int, Mark]:
        """The `Mark` of each of these photos, without those that have none.

        Raises `LibraryError`.
        """
        return self._catalogue.marks.of(photo_ids)

    def rate(self, photos: Sequence[PhotoName], stars: int | None) -> None:
        """Give photos 1 to 5 stars, or 0 for none; with None their files' own count again.

        Raises `UsageError` for other numbers, and when the library has no such photo;
        `LibraryError`.
        """
        if stars is not None and (isinstance(stars, bool) or stars not in range(6)):
            raise UsageError(f"{stars!r} is no rating; give 0 to 5 stars")
        ids = ids_named(self._catalogue, photos)
        before = self.of(ids)
        self.put({one: replace(before.get(one, Mark()), stars=stars) for one in ids})

    def tag(
        self, photos: Sequence[PhotoName], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Put keywords on photos, and take others off them, also such as their files have.

        "Places|Rome" is a keyword in another one. Off goes also what stands below the keyword; and
        what was put on and is taken off again leaves nothing behind.

        Raises `UsageError` for a keyword that is empty, longer than 200 characters, or has control
        characters, for more than 1,000 on a photo, and when the library has no such photo;
        `LibraryError`.
        """
        added, removed = [keyword(word) for word in add], [keyword(word) for word in remove]
        ids = ids_named(self._catalogue, photos)
        with self._catalogue.snapshot():
            before, read = self.of(ids), self._catalogue.marks.read_keywords(ids)
        wanted = {
            one: remarked(before.get(one, Mark()), read.get(one, ()), added, removed) for one in ids
        }
        for one, mark in wanted.items():
            if len(mark.added) > _MOST or len(mark.removed) > _MOST:
                raise UsageError(f"photo:{one} would have more than {_MOST} keywords of yours")
        self.put(wanted)

    def clear_keywords(self, photos: Sequence[PhotoName]) -> None:
        """Take back what was put on photos and taken off them: the files' own keywords count.

        Raises `UsageError` when the library has no such photo; `LibraryError`.
        """
        self.put(
            {
                one: Mark(mark.stars)
                for one, mark in self.of(ids_named(self._catalogue, photos)).items()
            }
        )

    def put(self, marks: Mapping[int, Mark]) -> None:
        """Give photos, by their ids, these marks in the place of those that they have.

        So a change is undone, with what `of` gave before it. Raises `LibraryError`.
        """
        self._catalogue.marks.put(marks)

    def keywords(self, start: str = "", *, limit: int = 20) -> list[str]:
        """Up to `limit` keywords of the library in which a word begins with `start`.

        Raises `LibraryError`.
        """
        return self._catalogue.marks.keywords(start, limit)

    def write_sidecars(
        self,
        places: Sequence[PhotoName] | None,
        *,
        naming: Naming = "full",
        dry_run: bool = False,
    ) -> Generator[Sidecar, None, None]:
        """Write the marks of photos into XMP files beside them, and report each.

        `places` are photos and folders; with None all photos that have marks are meant. A sidecar
        that describes the photo already is changed, and nothing in it is lost; else one is made,
        "IMG.JPG.xmp" or with `naming` "stem" "IMG.xmp". What cannot be done safely is left as it
        is, and reported with the reason. With `dry_run` nothing is written.

        Raises `UsageError` when a place is none of the library; `LibraryError` when another process
        is changing the library.
        """
        from photosearch.sidecars import write_sidecars

        ids = self._catalogue.marks.below(None) if places is None else self._marked(places)
        with self._lock.held():
            yield from write_sidecars(self._catalogue, ids, naming=naming, dry_run=dry_run)

    def _marked(self, places: Sequence[PhotoName]) -> list[int]:
        """Ids of the photos at these places that have marks, each once."""
        from photosearch.indexing.spelling import as_recorded

        found: dict[int, None] = {}
        for place in places:
            name = photo_named(place)
            if isinstance(name, str):
                path = as_recorded(name, self._catalogue.folders())
                inside = any(self._catalogue.count_below(path))
                if inside and self._catalogue.file_at(path) is None:
                    found |= dict.fromkeys(self._catalogue.marks.below(path))
                    continue
            (one,) = ids_named(self._catalogue, [place])
            found |= dict.fromkeys(self.of([one]))
        return list(found)


def keyword(text: str) -> str:
    """A keyword as it is kept: composed (NFC), with single blanks, and none around its levels.

    Raises `UsageError` for one that cannot be kept.
    """
    shown = ascii(text[:40])
    composed = unicodedata.normalize("NFC", text)
    levels = (" ".join(level.split()) for level in composed.split(LEVELS))
    cleaned = LEVELS.join(level for level in levels if level)
    if not cleaned:
        raise UsageError(f"the keyword {shown} is empty; give it a word")
    if _NOT_TEXT.search(cleaned):
        raise UsageError(f"the keyword {shown} has control characters in it; leave them out")
    if len(cleaned) > _LONGEST:
        raise UsageError(f"the keyword {shown}... is longer than {_LONGEST} characters; shorten it")
    return cleaned
