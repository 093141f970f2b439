"""Albums and favourites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from index.catalogue.albums import FAVOURITES, Album
from index.catalogue.shelves import Shelves
from photosearch.errors import UsageError
from photosearch.explaining import explaining


@explaining
class Albums:
    """`library.albums`. An album is meant by its id; `FAVOURITES` is always there.

    Photos stay in an album when their files are moved or edited, and no file is touched.
    """

    FAVOURITES = FAVOURITES

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def all(self) -> list[Album]:
        """All albums, the favourites first, whose name is empty. Raises `LibraryError`."""
        return self._shelves.albums()

    def of(self, photo_ids: Iterable[int]) -> dict[int, list[int]]:
        """The albums of each of these photos, without those that are in none.

        Raises `LibraryError`.
        """
        return self._shelves.albums_of(photo_ids)

    def create(self, name: str) -> int:
        """The id of the album of this name, which is made when there is none.

        Raises `UsageError` for an empty name; `LibraryError`.
        """
        return self._shelves.make_album(_named(name))

    def rename(self, album: int, name: str) -> None:
        """Give an album another name; the favourites have none.

        Raises `UsageError` when there is no such album, for an empty name, or for one that another
        album has; `LibraryError`.
        """
        name = _named(name)
        if album == FAVOURITES or album not in [one.id for one in self.all()]:
            raise UsageError(f"there is no album {album} that can have a name; make one first")
        if not self._shelves.rename_album(album, name):
            raise UsageError(f"there is an album {name} already; choose another name")

    def remove(self, album: int) -> None:
        """Remove an album, but not the favourites; its photos stay. Raises `LibraryError`."""
        self._shelves.drop_album(album)

    def add_photos(self, photo_ids: Sequence[int], album: int = FAVOURITES) -> None:
        """Put photos into an album; those that are in it stay. Raises `LibraryError`."""
        self._shelves.put_into(photo_ids, album)

    def remove_photos(self, photo_ids: Sequence[int], album: int = FAVOURITES) -> None:
        """Take photos out of an album. Raises `LibraryError`."""
        self._shelves.take_out(photo_ids, album)


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise UsageError("the name of the album is empty; give it one")
    return name
