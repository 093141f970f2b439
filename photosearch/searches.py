"""What can be asked of a library: searches, similar photos, duplicates, and saved searches."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence

from index import SavedSearch
from photosearch.errors import UsageError
from photosearch.explaining import explained
from photosearch.opened import OpenLibrary
from photosearch.photo import PhotoName, photo_named
from photosearch.search.duplicates import Told, copies
from photosearch.search.embed import Picture
from photosearch.search.filters import Filters
from photosearch.search.find import SORTS, Sort, View
from photosearch.search.groups import Grouping
from photosearch.search.hits import Hits
from photosearch.search.query import Query
from photosearch.search.stacks import NEAR
from photosearch.search.why import Why


class Searches(OpenLibrary):
    """The part of `Library` that reads."""

    def understand(self, text: str, *, literal: bool = False, locale: str = "") -> Query:
        """What `text` asks for: its terms and conditions, and where in the text each stands.

        With `literal` all of it is a description. The names of places are those of the library.
        `locale`, such as "en-GB" or "de", decides whether 04/05 is in April or May, and the
        language of what is said of the parts; without one it is American English.

        Raises `QueryError`, a `UsageError` that knows the character from which on it cannot be
        understood, and for what is no locale; `LibraryError`.
        """
        with explained():
            return self._searcher.understand(text, literal=literal, locale=locale)

    def search(
        self,
        text: str = "",
        *,
        filters: Filters | None = None,
        images: Sequence[Picture] = (),
        sort: Sort = "relevance",
        group: Grouping | None = None,
        collapse: bool = False,
        limit: int = 20,
        offset: int = 0,
        literal: bool = False,
        files: bool = True,
        everything: bool = False,
        locale: str = "",
    ) -> Hits:
        """The photos that fit `text`, best first; empty when nothing fits or nothing is indexed.

        What is described in words has a cut-off, where the model is calibrated: photos below it
        are left out, and counted as `beyond` of the hits. With `everything` none is.

        `text` is what a person types into the search box; docs/search.md has its grammar. With
        `literal` all of it is a description. `locale` is as for `understand`.

        `filters` are the filters of the box as arguments, and those in `text` hold besides.
        `images` are pictures that the photos should be like as well: PIL images, the bytes of a
        file, or paths. `text` may give one a weight, or rule it out, as in "2:image:1 -image:2".
        Without `files` the text can name photos of the library only, so that it opens no file.

        By date the best thousand are put in order, then the next thousand, and so on. `group`
        ("day" or "event") keeps those of a day or an event together, in thousands as well. With
        `collapse` copies, near duplicates and the photos of a burst are one hit, the best of them,
        with the `others`. Pages are made with `offset`, and there is no last one before the last
        photo: `more` of the hits tells whether another follows.

        Raises `UsageError` for a text that asks for nothing or cannot be understood (`QueryError`
        then), for a limit, offset, order or group that makes no page, and for a picture that cannot
        be read; `LibraryError`; `BundleError`.
        """
        view = View(limit=limit, offset=offset, sort=sort, group=group, collapse=collapse)
        with explained():
            return self._searcher.search(
                text,
                view,
                filters=filters,
                images=images,
                literal=literal,
                files=files,
                everything=everything,
                locale=locale,
            )

    def similar(
        self,
        photo: PhotoName,
        *,
        filters: Filters | None = None,
        collapse: bool = False,
        limit: int = 20,
        offset: int = 0,
        files: bool = True,
    ) -> Hits:
        """The photos that look most like `photo`, without itself.

        `photo` is an id, "photo:ID", or the path of one in the library, or, with `files`, of any
        picture.

        Raises `UsageError` when there is no such photo, or it cannot be read, `PhotoIdError` for a
        number that is no id; `LibraryError`; `BundleError`.
        """
        view = View(limit=limit, offset=offset, collapse=collapse)
        with explained():
            return self._searcher.similar(photo_named(photo), view, filters=filters, files=files)

    def why(
        self,
        photo: PhotoName,
        text: str = "",
        *,
        images: Sequence[Picture] = (),
        literal: bool = False,
        files: bool = True,
        locale: str = "",
    ) -> Why:
        """Why a photo fits `text`, or does not: an id, "photo:ID", or the path of any picture.

        What each term, and each word, adds to its score, and a map of where in the picture. Filters
        in `text` count for nothing here. The picture is read anew; it takes a second or so.
        `images`, `literal`, `files` and `locale` are as for `search`.

        Raises `UsageError` when there is no such photo, it cannot be read, or nothing is described;
        `LibraryError`; `BundleError`.
        """
        with explained():
            return self._searcher.why(
                photo_named(photo),
                text,
                images=images,
                literal=literal,
                files=files,
                locale=locale,
            )

    def duplicates(
        self, *, near_too: bool = False, similarity: float = NEAR, read: bool = True
    ) -> Generator[Told, None, None]:
        """Photos that are there more than once, those that take most space first.

        They have the same bytes, which are compared now; without `read` it is enough that size and
        time of change are those of when they were hashed. What was recorded as a copy and is not
        told of comes as `LeftOut`: it is gone, was changed, cannot be read, or is the same file by
        another path. With `near_too` there follow photos that only look the same, with a cosine of
        `similarity` or more, and are compared closely now.

        Files can change at any time, so use what comes when it comes. Nothing is deleted, here or
        anywhere else.

        Raises `UsageError` for a similarity below 0.5 or above 1; `LibraryError`; `BundleError`.
        """
        with explained():
            found = None
            if near_too:
                from photosearch.search.near import NearDuplicates

                workers = os.cpu_count() or 1
                found = NearDuplicates(
                    self._catalogue, self.encoder, similarity=similarity, workers=workers
                )
            yield from copies(self._catalogue, read=read)
            if found is not None:
                yield from found.told()

    def text_of(self, photo_id: int) -> str | None:
        """The text that was read in a photo; None when nobody has looked. Raises `LibraryError`."""
        with explained():
            return self._catalogue.readings.of(photo_id)

    def texts_read(self) -> tuple[int, int]:
        """In how many photos text was looked for, and in how many found. Raises `LibraryError`."""
        with explained():
            return self._catalogue.readings.counts()

    # Saved searches

    def saved_searches(self) -> list[SavedSearch]:
        """The saved searches, in order of name. Raises `LibraryError`."""
        with explained():
            return self._catalogue.saved.all()

    def saved_search(self, name: str) -> SavedSearch:
        """The saved search of this name, whatever its case.

        Raises `UsageError` when there is none; `LibraryError`.
        """
        with explained():
            found = self._catalogue.saved.get(name)
            if found is None:
                known = ", ".join(each.name for each in self._catalogue.saved.all()) or "none"
                raise UsageError(f"{name}: there is no saved search of this name; known: {known}")
            return found

    def saved_query(self, name: str, text: str = "", sort: Sort = "relevance") -> tuple[str, Sort]:
        """The text and order of a saved search, with `text` added to it, and `sort` if it is one.

        Raises as `saved_search` does.
        """
        known = self.saved_search(name)
        own = next((order for order in SORTS if order == known.sort), sort)
        return " ".join(filter(None, (known.text, text))), own if sort == "relevance" else sort

    def save_search(self, name: str, text: str, *, sort: Sort = "relevance") -> SavedSearch:
        """Save what is typed into the box under a name, in the place of another of that name.

        Raises `UsageError` for an empty name, an unknown order, or a text that asks for nothing or
        cannot be understood; `LibraryError`.
        """
        if not name.strip():
            raise UsageError("the name of a saved search is empty; give it one")
        if sort not in SORTS:
            raise UsageError(f"{sort!r} is no order; sort by {', '.join(SORTS)}")
        query = self.understand(text)
        if not query.terms and not query.conditions:
            raise UsageError("there is nothing to save; give the text of a search")
        saved = SavedSearch(name.strip(), text, sort)
        with explained():
            self._catalogue.saved.put(saved)
        return saved

    def remove_search(self, name: str) -> None:
        """Forget a saved search. Raises `UsageError` when there is none; `LibraryError`."""
        found = self.saved_search(name)
        with explained():
            self._catalogue.saved.remove(found.name)
