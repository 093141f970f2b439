"""The photos: what is known of each, and how they can be looked through without a query."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, ListedPhoto, Metadata, PhotoFile
from index.catalogue.areas import Area
from index.catalogue.browsing import BrowseBy, PhotoGroup
from index.catalogue.clusters import Cluster
from index.catalogue.days import Days
from index.catalogue.feed import Changes, UnknownPlaceError
from photosearch.about import About, about
from photosearch.errors import LostPlaceError, UsageError
from photosearch.explaining import explaining
from photosearch.looks import NEAR
from photosearch.model_choice import ModelChoice
from photosearch.photo import PhotoName, photo_named
from photosearch.read_beside import ReadBeside
from photosearch.search.duplicates import Duplicates, LeftOut, copies
from photosearch.search.facets import FACETS, Facet, FacetName, Facets
from photosearch.search.find import View, check_asked
from photosearch.search.searcher import Searcher

if TYPE_CHECKING:
    from photosearch.browsing.anniversaries import Anniversaries
    from photosearch.browsing.trips import Trip
    from photosearch.search.embed import Picture
    from photosearch.search.filters import Filters
    from photosearch.search.hits import Hits
    from photosearch.search.why import Why

T = TypeVar("T")


@explaining
class Photos:
    """`library.photos`. A photo is meant by its id, "photo:ID", or its path."""

    def __init__(self, catalogue: Catalogue, searcher: Searcher, choice: ModelChoice) -> None:
        self._catalogue, self._searcher, self._choice = catalogue, searcher, choice
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def about(self, photo: PhotoName) -> About:
        """All that is known of a photo.

        The path may also be that of a file which belongs to it, such as its RAW.

        Raises `UsageError` when the library has no such photo; `LibraryError`.
        """
        return about(self._catalogue, photo_named(photo))

    def files(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The files of the photos of `ids`, in that order; ids that are not there are left out.

        Raises `LibraryError`.
        """
        return self._catalogue.files(ids)

    def listed(self, ids: Sequence[int]) -> list[ListedPhoto]:
        """As `files`, with what a list shows of them: when and where each was taken.

        Raises `LibraryError`.
        """
        return self._catalogue.listed(ids)

    def file_at(self, path: str) -> PhotoFile | None:
        """The file of the photo at an absolute path, or of the one to which the file belongs.

        Raises `LibraryError`.
        """
        return self._catalogue.file_at(path)

    def metadata(self, ids: Sequence[int]) -> dict[int, Metadata]:
        """What the photos of `ids` say of themselves; those that say nothing are left out.

        Raises `LibraryError`.
        """
        return self._catalogue.metadata(ids)

    def newest(self, limit: int = 20) -> list[ListedPhoto]:
        """The files of the photos that were indexed last, newest first. Raises `LibraryError`."""
        return self._catalogue.newest(limit)

    def groups(self, by: BrowseBy) -> list[PhotoGroup]:
        """The groups that photos fall into: by month, place, folder, camera or album.

        Months come newest first, others the largest first. Raises `LibraryError`.
        """
        return self._catalogue.shelves.groups(by)

    def browse(
        self, by: BrowseBy | None = None, key: str = "", *, offset: int = 0, limit: int = 100
    ) -> list[ListedPhoto]:
        """The files of a part of the group of this `key`, or of all photos, newest first.

        Raises `LibraryError`.
        """
        ids = self._catalogue.shelves.members(by, key, offset=offset, limit=limit)
        return self._catalogue.listed(ids)

    def found(
        self,
        text: str = "",
        *,
        images: Sequence[Picture] = (),
        everything: bool = False,
        locale: str = "",
    ) -> NDArray[np.int64]:
        """Ids (n,), in no order, of all photos that a search for `text` and `images` finds.

        Raises as `Library.search` does.
        """
        query = self._searcher.parsed(text, False, locale)
        check_asked(query.terms or query.conditions or images)
        return self._searcher.ids(
            query, query.conditions, images, everything=everything, locale=locale
        )

    def clusters(
        self, area: Area, apart: float, among: NDArray[np.int64] | None = None
    ) -> list[Cluster]:
        """The photos in an area of the Earth, those near each other together, the largest first;
        `among` those of these ids.

        On a map no two are nearer than about `apart` degrees of longitude; they are further apart
        where there would be too many. Raises `LibraryError`.
        """
        return self._catalogue.shelves.clusters(area, apart, among)

    def within(
        self,
        area: Area,
        among: NDArray[np.int64] | None = None,
        *,
        offset: int = 0,
        limit: int = 100,
    ) -> tuple[list[ListedPhoto], int]:
        """A part of the photos in an area, newest first, and how many there are in all; `among`
        those of these ids.

        Raises `LibraryError`.
        """
        ids, total = self._catalogue.shelves.within(area, among, offset=offset, limit=limit)
        return self._catalogue.listed(ids), total

    def days(self) -> Days:
        """All photos by the days on which they were taken, newest first, for a timeline of them.

        Raises `LibraryError`.
        """
        return self._once("days", self._catalogue.selection.days)

    def trips(self) -> list[Trip]:
        """Days in a row that were spent away from home, by their dates and positions, newest first.

        Where home is, is found as well. Of a large library that changes they may be some seconds
        old, or minutes.

        Raises `LibraryError`.
        """
        return self._trips.now()

    @cached_property
    def _trips(self) -> ReadBeside[list[Trip]]:
        from photosearch.browsing.trips import find_trips

        return ReadBeside(self._catalogue, lambda it: find_trips(it.selection.whereabouts())[::-1])

    def anniversaries(self, today: date) -> Anniversaries:
        """Photos taken on the day `today` of earlier years, or else on the days around it.

        Raises `LibraryError`.
        """
        from photosearch.browsing.anniversaries import find_anniversaries

        selection = self._catalogue.selection
        return self._once("anniversaries", lambda: find_anniversaries(selection, today), of=today)

    def _once(self, name: str, find: Callable[[], T], of: Hashable = None) -> T:
        """What `find` gives, which is found again only when the library has changed, or `of`."""
        with self._catalogue.snapshot():
            edition = (self._catalogue.selection.edition, of)
            if name not in self._kept or self._kept[name][0] != edition:
                self._kept[name] = edition, find()
        found: T = self._kept[name][1]
        return found

    def facets(
        self,
        text: str = "",
        of: Sequence[FacetName] = FACETS,
        *,
        within: str = "",
        images: Sequence[Picture] = (),
        everything: bool = False,
        locale: str = "",
    ) -> list[Facet]:
        """What can be chosen of each facet, and how many photos of a search for `text` that is.

        Of a description those photos are counted that the search finds, or with `everything` all
        that meet the conditions. Choices of one facet do not narrow each other, but people do.
        `within`, such as "2021" or "2021-05", asks for the months or days in it instead of years.
        Choices that no photo has are left out.

        Raises `UsageError` for what is no facet, and as `Library.search` does.
        """
        for name in of:
            if name not in FACETS:
                raise UsageError(f"{name!r} is no facet; there are {', '.join(FACETS)}")
        return Facets(self._catalogue, self._searcher).of(
            text, of, within=within, images=images, everything=everything, locale=locale
        )

    def known_facets(self) -> list[FacetName]:
        """The facets of which there is something to choose. Raises `LibraryError`."""
        return Facets(self._catalogue, self._searcher).known()

    def in_folders(self) -> int:
        """How many photos are in folders, and can be looked at again: not at addresses.

        Raises `LibraryError`.
        """
        return self._catalogue.count_in_folders()

    def changes(self, since: str | None = None, *, limit: int = 1000) -> Changes:
        """Which photos came, changed or went, in that order; at most so many.

        `since` is what was `next` the time before, and "now" tells of nothing but where the next
        time begins. Without it all photos are told of, in the order in which they changed last:
        a photo stands in the list once. Two readings of one photo may lie in two pages, where it
        changed in between. Albums, texts read in photos and faces that were found do not count.

        Raises `LostPlaceError` when changes since then are not known any more: begin anew without
        `since` then; `UsageError` for a limit below 1, which would never come to an end;
        `LibraryError`.
        """
        if limit < 1:
            raise UsageError(f"a limit of {limit} changes tells nothing; ask for at least 1")
        if since == "now":
            return Changes((), self._catalogue.feed.end(), False)
        try:
            return self._catalogue.feed.read(since, limit)
        except UnknownPlaceError:
            raise LostPlaceError(
                "what changed since then is not known any more, or this was never given by the "
                "library that is here now; read everything anew, without since"
            ) from None

    def similar(
        self,
        photo: PhotoName,
        *,
        filters: Filters | None = None,
        collapse: bool = False,
        limit: int = 20,
        offset: int = 0,
        after: Sequence[int] = (),
        files: bool = True,
    ) -> Hits:
        """The photos that look most like `photo`, without itself.

        With `files` it may be any picture, by its path. `after` is as for `Library.search`.

        Raises `UsageError` when there is no such photo, or it cannot be read, `PhotoIdError` for a
        number that is no id; `LibraryError`; `BundleError`.
        """
        view = View(limit=limit, offset=offset, after=tuple(after), collapse=collapse)
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
        """Why a photo, or any picture by its path, fits `text`, or does not.

        What each term, and each word, adds to its score, and a map of where in the picture. Filters
        in `text` count for nothing here. The picture is read anew; it takes a second or so.
        `images`, `literal`, `files` and `locale` are as for `Library.search`.

        Raises `UsageError` when there is no such photo, it cannot be read, or nothing is described;
        `LibraryError`; `BundleError`.
        """
        from photosearch.search.why import Fitting

        named = photo_named(photo)
        why = self._searcher.why(
            named,
            text,
            images=images,
            literal=literal,
            files=files,
            locale=locale,
        )
        people = self._searcher.people_meant(text, literal=literal, locale=locale)
        known = named if isinstance(named, int) else self._catalogue.file_at(named)
        if not people or known is None:
            return why
        seen = self.about(photo).people
        fitting = tuple(Fitting(one.name, one.area) for one in seen if one.name in people)
        return replace(why, people=fitting)

    def duplicates(
        self, *, near_too: bool = False, similarity: float = NEAR, read: bool = True
    ) -> Generator[Duplicates | LeftOut, None, None]:
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
        found = None
        if near_too:
            from photosearch.indexing.decoding import Decoding
            from photosearch.search.near import NearDuplicates

            found = NearDuplicates(
                self._catalogue,
                self._choice.searching_encoder(),
                similarity=similarity,
                decoding=Decoding.of(self._choice.settings),
            )
        yield from copies(self._catalogue, read=read)
        if found is not None:
            yield from found.told()
