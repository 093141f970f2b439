"""A catalogue that is open: its connection, its parts and its state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index.catalogue.calendar import Calendar
from index.catalogue.connection import Connection
from index.catalogue.feed import Feed
from index.catalogue.selection import Selection
from index.errors import CatalogueError
from index.safety.private import make_private_folder
from index.shared.address import address_of

if TYPE_CHECKING:
    from index.catalogue.face_answers import FaceAnswers
    from index.catalogue.faces import Faces
    from index.catalogue.marks import Marks
    from index.catalogue.own_people import OwnPeople
    from index.catalogue.readings import Readings
    from index.catalogue.saved import SavedSearches
    from index.catalogue.shelves import Shelves
    from index.catalogue.verdicts import Verdicts
    from index.safety.health import Health
    from index.safety.portable import Portable

FILE_NAME = "catalogue.db"


class OpenCatalogue:
    """What all parts of `Catalogue` share."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder
        self._calendar = Calendar(connection)
        self.selection = Selection(connection, self._calendar)
        self.feed = Feed(connection)
        self._before_close: list[Callable[[], None]] = []

    # Imported when they are used: a search by command reads none of them.

    @cached_property
    def readings(self) -> Readings:
        """What was read in photos."""
        from index.catalogue.readings import Readings

        return Readings(self._connection)

    @cached_property
    def saved(self) -> SavedSearches:
        """Searches that were given a name."""
        from index.catalogue.saved import SavedSearches

        return SavedSearches(self._connection)

    @cached_property
    def shelves(self) -> Shelves:
        """Photos as they are looked through without a search."""
        from index.catalogue.shelves import Shelves

        return Shelves(self._connection, self._calendar)

    @cached_property
    def marks(self) -> Marks:
        """Stars and keywords that the user gave."""
        from index.catalogue.marks import Marks

        return Marks(self._connection)

    @cached_property
    def own_people(self) -> OwnPeople:
        """What the user says of people."""
        from index.catalogue.own_people import OwnPeople

        return OwnPeople(self._connection)

    @cached_property
    def faces(self) -> Faces:
        """Faces that were found, and their groups."""
        from index.catalogue.faces import Faces

        return Faces(self._connection)

    @cached_property
    def face_answers(self) -> FaceAnswers:
        """Whose the user said that faces are."""
        from index.catalogue.face_answers import FaceAnswers

        return FaceAnswers(self._connection)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Which photos are right for a query, and which wrong."""
        from index.catalogue.verdicts import Verdicts

        return Verdicts(self._connection)

    @classmethod
    def open(
        cls, folder: Path, *, readonly: bool = False, new: bool = True, timeout: float = 30.0
    ) -> Self:
        """Open the catalogue in `folder`, making both when they do not exist and `new`.

        With `readonly` the catalogue must exist and is not changed; SQLite may leave its empty
        log beside it. `timeout` is how many seconds to wait for another process that is writing.

        Raises `CatalogueError` when it cannot be opened: not a catalogue, damaged, of a newer
        version, or not to be read or written here.
        """
        path = folder / FILE_NAME
        address = address_of(folder)
        if address is not None:
            return cls(_shared(path, address, readonly=readonly, new=new, timeout=timeout), folder)
        made = new and not readonly
        if not made and not path.is_file():
            raise CatalogueError(f"{path}: there is no catalogue here; index a folder first")
        try:
            # It may have gone since it was looked for.
            if made:
                make_private_folder(folder)
            return cls(Connection.open(path, readonly=readonly, timeout=timeout), folder)
        except OSError as error:
            raise CatalogueError(
                f"{folder}: cannot be used as a library folder ({error.strerror}); use another"
            ) from error

    def close(self) -> None:
        while self._before_close:
            self._before_close.pop()()
        self._connection.close()

    def before_close(self, end: Callable[[], None]) -> None:
        """Have this called when it is closed, first."""
        self._before_close.append(end)

    def beside(self) -> Self:
        """Another one to read the same, for another thread. Raises `CatalogueError`."""
        beside = type(self).open(self.folder, readonly=True)
        beside._connection.shows_faces = self._connection.shows_faces
        return beside

    def interrupt(self) -> None:
        """End what is being read, by another thread, which gets a `CatalogueError`."""
        self._connection.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str | None:
        """Where it is when other machines share it; None for one in the folder."""
        return address_of(self.folder)

    @property
    def readonly(self) -> bool:
        return self._connection.readonly

    @property
    def keeps_files(self) -> bool:
        """Whether what is made of it may be kept in its folder: who may only read an archive has
        a folder of their own.
        """
        return not self.readonly or self.address is not None

    @property
    def is_outdated(self) -> bool:
        """Whether it has to be opened anew: others wrote to what was opened where it could not be
        seen, as on a disk that was full.
        """
        return self._connection.is_outdated

    @property
    def health(self) -> Health:
        """What looks through all of it for faults."""
        from index.safety.health import Health

        return Health(self._connection)

    @property
    def portable(self) -> Portable:
        """What copies it, and changes the paths in it."""
        from index.safety.portable import Portable

        return Portable(self._connection)

    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read inside is of one moment, whatever other processes write meanwhile."""
        return self._connection.snapshot()

    def _state(self, key: str) -> str:
        return str(self._connection.rows("SELECT value FROM state WHERE key = ?", [key])[0][0])

    @property
    def generation(self) -> int:
        """Counts the changes to what can be found."""
        return int(self._state("generation"))

    @property
    def revision(self) -> str:
        """A random name, drawn anew with each generation.

        Unlike the count it is not met again: not in another catalogue, nor in this one after an
        older copy of the file was put back.
        """
        return self._state("revision")


def _shared(path: Path, address: str, *, readonly: bool, new: bool, timeout: float) -> Connection:
    from index.shared.connection import SharedConnection

    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise CatalogueError(
            f"{path.parent}: cannot hold a copy of {address} ({error.strerror}); make it writable"
        ) from error
    return SharedConnection.join(path, address, readonly=readonly, new=new, timeout=timeout)
