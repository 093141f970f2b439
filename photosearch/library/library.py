"""The library that is open, and what everyone does with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index import Catalogue, CatalogueError, WriterLock, network_drive
from photosearch.errors import LibraryError
from photosearch.explaining import explained, explaining
from photosearch.library.forgetting import forget
from photosearch.library.parts import Parts
from photosearch.library.place import catalogue_file, gone, is_library
from photosearch.library.runs import Runs
from photosearch.search.embed import Picture
from photosearch.search.filters import Filters
from photosearch.search.find import Sort, View
from photosearch.search.groups import Grouping
from photosearch.search.hits import Hits
from photosearch.search.query import Query
from photosearch.settings import library_folder

if TYPE_CHECKING:
    from photosearch.doctor import Finding
    from photosearch.indexing.events import Event
    from photosearch.portable import Exported, Imported
    from photosearch.search.instead import Instead
    from photosearch.search.suggest import Suggester, Suggestion
    from photosearch.status import Status
    from photosearch.watching import Watching


@explaining
class Library(Parts):
    """Photos, indexed and searchable. Use as a context manager.

    with Library.open() as library:
        hits = library.search("two dogs on a beach", limit=20)
    """

    def __init__(self, catalogue: Catalogue, model: str | os.PathLike[str] | None) -> None:
        super().__init__(catalogue, model)
        self._runs = Runs(catalogue, self._choice, self._lock)
        self._file = catalogue_file(catalogue.folder)

    @cached_property
    def _suggester(self) -> Suggester:
        from photosearch.search.suggest import Suggester

        return Suggester(self._catalogue)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        model: str | os.PathLike[str] | None = None,
        readonly: bool = False,
        new: bool = True,
    ) -> Self:
        """Open the library in folder `path`, or the default one.

        `path` may also be the address of a shared archive, as "postgresql://host/name".

        `model` is the folder of a bundle to search and index with, whichever the library uses. A
        library that does not exist yet is made, unless `readonly` or not `new`.

        Raises `LibraryError` when it cannot be opened.
        """
        folder = library_folder(path)
        if not new and not is_library(folder):
            raise gone(folder)
        return cls(Catalogue.open(folder, readonly=readonly, new=new), model)

    @classmethod
    def open_to_read(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        model: str | os.PathLike[str] | None = None,
        new: bool = True,
    ) -> Self:
        """As `open`, and `readonly` where the library is there and cannot be written just now, as
        on a full disk.
        """
        try:
            return cls.open(path, model=model, new=new)
        except LibraryError:
            if not cls.exists(path):
                raise
            return cls.open(path, model=model, readonly=True)

    @classmethod
    def exists(cls, path: str | os.PathLike[str] | None = None) -> bool:
        """Whether there is a library in folder `path`, or in the default one."""
        return is_library(library_folder(path))

    @classmethod
    def can_be_written(cls, path: str | os.PathLike[str] | None = None) -> bool:
        """Whether the library in folder `path`, or the default one, can be changed just now.

        It cannot on a full disk, nor on one that is read-only.
        """
        folder = library_folder(path)
        if not is_library(folder):
            return False
        try:
            Catalogue.open(folder, new=False).close()
        except CatalogueError:
            return False
        return True

    def close(self) -> None:
        """Close it; nothing can be asked of it or its parts then."""
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Where it is, and who changes it

    @property
    def folder(self) -> Path:
        """The folder that the library is in."""
        return self._catalogue.folder

    @property
    def is_current(self) -> bool:
        """Whether the catalogue that is open is still the one in the folder: none has been put in
        its place, and nothing was written to it that cannot be seen here, as to one on a full disk.

        Raises `LibraryError` when there is none any more.
        """
        now = catalogue_file(self.folder)
        if now is None:
            raise gone(self.folder)
        return now == self._file and not self._catalogue.is_outdated

    @property
    def readonly(self) -> bool:
        """Whether it was opened for reading only."""
        return self._catalogue.readonly

    @property
    def network_drive(self) -> str | None:
        """The kind of network drive that the library folder is on; None on a disk of this machine.

        There it is safe too, but slower, and processes wait for one another at each write.
        """
        return network_drive(self.folder)

    @contextmanager
    def writing(self, *, wait: bool = False) -> Iterator[None]:
        """Keep other processes from changing the library meanwhile; they can read it.

        Whatever changes it for longer does so itself, and may be called inside.

        Raises `LibraryError` that names the process which is changing it now, or waits for that
        one with `wait`.
        """
        # Only entered when the call is over.
        with explained(), self._lock.held(wait=wait):
            yield

    # What everyone does with it

    def index(
        self,
        folders: Sequence[str | os.PathLike[str]] = (),
        *,
        workers: int | None = None,
        retry: bool = False,
        wait: bool = False,
        nice: bool | None = None,
        on: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[Event, None, None]:
        """Index the photos below `folders`, or all known ones; only new and changed files are read.

        A folder may be at an address, such as s3://bucket/photos. With `on`, "ray" or
        "ray://HOST:PORT", the machines of a cluster read, decode and encode, each with so many
        `workers`; they have to see folders at the same paths.

        A known folder that is not there has its photos hidden until it is back. With `retry` the
        files listed as problems are tried again.

        While another model is to come into use (see `Models.use`), all known folders are looked
        through, and all photos are encoded by it too. When none is left searches switch to it.

        `workers` decoding processes are used, one a core when left out. Every photo reported as
        indexed is safely recorded, so closing the iterator early loses nothing reported.

        When `stop` is set, by whatever thread, what was decoded is recorded and reported within
        about a second, and the iterator ends without `Finished`. So it does at Ctrl-C, and then
        raises `KeyboardInterrupt`; but that may come at any moment, so a program that expects to be
        interrupted does better to set `stop`.

        While another process changes the library nothing is done: an error says which one, or with
        `wait` the run begins when that one is done.

        With `nice`, by default as the setting says, the decoding processes let other programs go
        first, and nothing is done while the machine runs on its battery: an event says so, and the
        run goes on when it does not.

        Raises `UsageError` for an unknown folder that does not exist and for more workers than the
        machine can take, before anything is done;
        `LibraryError` when the library cannot be written; `BundleError`.
        """
        return self._runs.index(
            folders, workers, retry=retry, wait=wait, nice=nice, stop=stop, on=on
        )

    def watch(
        self,
        folders: Sequence[str | os.PathLike[str]] = (),
        *,
        workers: int | None = None,
        poll: bool = False,
        interval: float = 30.0,
        address_interval: float | None = None,
        quiet: float = 2.0,
        nice: bool | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[Event | Watching, None, None]:
        """Index `folders`, or all known ones, and then what changes in them, until `stop` is set.

        What has changed is indexed when its folder has been quiet for `quiet` seconds. Folders on
        network drives are looked through every `interval` seconds, and with `poll` all are;
        addresses are listed every `address_interval` seconds, by default as the settings say.
        While another process changes the library, this waits. `nice` as for `index`.

        Raises as `index` does.
        """
        return self._runs.watch(
            folders,
            workers,
            poll=poll,
            interval=interval,
            address_interval=address_interval,
            quiet=quiet,
            nice=nice,
            stop=stop,
        )

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
        after: Sequence[int] = (),
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
        file, paths, or ids of photos. `text` may give one a weight, or rule it out, as in
        "2:image:1 -image:2". Without `files` the text can name photos of the library only, so that
        it opens no file.

        By date the best thousand are put in order, then the next thousand, and so on. `group`
        ("day" or "event") keeps those of a day or an event together, in thousands as well. With
        `collapse` copies, near duplicates and the photos of a burst are one hit, the best of them,
        with the `others`. Pages are made with `offset`, and there is no last one before the last
        photo: `more` of the hits tells whether another follows. With `after`, the ids of the last
        photos of the page before, the very last first, the page begins behind the first of them
        that is still found, so that photos which come and go meanwhile move nothing; and at
        `offset` where none is.

        Raises `UsageError` for a text that asks for nothing or cannot be understood (`QueryError`
        then), for a limit, offset, order or group that makes no page, and for a picture that cannot
        be read; `LibraryError`; `BundleError`.
        """
        view = View(
            limit=limit,
            offset=offset,
            after=tuple(after),
            sort=sort,
            group=group,
            collapse=collapse,
        )
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

    def understand(self, text: str, *, literal: bool = False, locale: str = "") -> Query:
        """What `text` asks for: its terms and conditions, and where in the text each stands.

        With `literal` all of it is a description. The names of places are those of the library.
        `locale`, such as "en-GB" or "de", decides whether 04/05 is in April or May, and the
        language of what is said of the parts; without one it is American English.

        Raises `QueryError`, a `UsageError` that knows the character from which on it cannot be
        understood, and for what is no locale; `LibraryError`.
        """
        return self._searcher.understand(text, literal=literal, locale=locale)

    def instead(
        self,
        text: str,
        *,
        filters: Filters | None = None,
        images: Sequence[Picture] = (),
        files: bool = True,
        locale: str = "",
    ) -> Instead:
        """What to search for instead, where a search for `text` finds nothing; see `search`.

        Which parts failed, what photos have that is near to them, and how many photos there are
        without one of them. It takes about as long as ten searches. Raises as `search` does.
        """
        return self._searcher.instead(
            text,
            filters=filters,
            images=images,
            files=files,
            locale=locale,
            tally=self._suggester.tally,
        )

    def suggest(
        self,
        text: str,
        caret: int | None = None,
        *,
        recent: Sequence[str] = (),
        limit: int = 8,
        locale: str = "",
    ) -> list[Suggestion]:
        """What may be meant by what is being typed: names with their photos, filters, searches.

        `caret` is the character of `text` before which it stands, its end when left out. What is
        suggested puts something into `text` there. `recent` are texts that were searched for,
        latest first, from which is suggested as from saved searches; of an empty text nothing else.

        Of a library that changes all the time the names may be some seconds old.

        Raises `UsageError` for what is no locale; `LibraryError`.
        """
        return self._suggester.suggest(text, caret, recent=recent, limit=limit, locale=locale)

    def status(self) -> Status:
        """What the library holds now. Raises `LibraryError`; `BundleError` for a damaged model."""
        from photosearch.status import status_of

        return status_of(self._catalogue, self._choice)

    @property
    def folders(self) -> list[str]:
        """The folders, and single pictures, that were indexed."""
        return self._catalogue.folders()

    def forget(self, folder: str | os.PathLike[str], *, dry_run: bool = False) -> int:
        """Drop what is recorded of the photos below `folder`; how many. No photo is touched.

        With `dry_run` they are only counted.

        Raises `UsageError` when nothing is recorded there; `LibraryError` when the library cannot
        be written, or another process is changing it.
        """
        return forget(self._catalogue, self._lock, folder, dry_run=dry_run)

    # Carried elsewhere, and looked after

    def export(
        self,
        file: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        with_models: bool = False,
        with_faces: bool = False,
    ) -> Exported:
        """Write the library, but no photo, to `file`, for `import_from` on another machine.

        With `with_models` the models whose vectors are in it go along, and with `with_faces` what
        was found out about faces.

        Raises `UsageError` when `file` is there and not `overwrite`; `LibraryError`; `BundleError`.
        """
        from photosearch.portable import export_library

        return export_library(
            self._catalogue,
            self._choice,
            Path(file).expanduser().absolute(),
            overwrite=overwrite,
            with_models=with_models,
            with_faces=with_faces,
        )

    @classmethod
    def import_from(
        cls,
        file: str | os.PathLike[str],
        path: str | os.PathLike[str] | None = None,
        *,
        maps: Sequence[str] = (),
        model: str | os.PathLike[str] | None = None,
        replace: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Make a library in folder `path`, or the default one, of an exported one.

        `maps` say where folders are here, as OLD=NEW. With `replace` a library that is there is
        kept beside it. With `dry_run` nothing is written.

        Raises `UsageError` when there is one and not `replace`, or for a map that does not fit;
        `LibraryError`, also when the file is damaged; `BundleError`.
        """
        from photosearch.portable import import_library

        return import_library(
            library_folder(path),
            Path(file).expanduser().absolute(),
            maps,
            model,
            replace=replace,
            dry_run=dry_run,
        )

    @classmethod
    def examine(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        model: str | os.PathLike[str] | None = None,
        repair: bool = False,
    ) -> Generator[Finding, None, None]:
        """Look for what is wrong with a library, and mend what can be with `repair`.

        It need not be one that can be opened. Without `repair` nothing is changed, and no photo
        ever is.

        Raises `LibraryError` when there is none, or it cannot be read or, with `repair`, written,
        also since another process is changing it.
        """
        from photosearch.doctor import examine

        folder = library_folder(path)
        if not is_library(folder):
            raise LibraryError(f"{folder}: there is no library here; index a folder first")
        with WriterLock(folder).held() if repair else nullcontext():
            yield from examine(folder, model, repair=repair)
