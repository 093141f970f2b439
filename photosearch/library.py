"""The library: the one façade that the command line, the pages and other programs use."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index import (
    Catalogue,
    FaissIndex,
    InUseError,
    Metadata,
    PhotoFile,
    WriterLock,
)
from photosearch.about import About, about
from photosearch.errors import LibraryError, UsageError
from photosearch.explaining import explained as _explained
from photosearch.model_choice import ModelChoice
from photosearch.opened import gone
from photosearch.photo import PhotoName, photo_named
from photosearch.searches import Searches
from photosearch.status import Status, status_of

if TYPE_CHECKING:
    from index.shelves import Shelves
    from photosearch.doctor import Finding
    from photosearch.indexing.events import Event
    from photosearch.portable import Exported, Imported
    from photosearch.reading.run import ReadingEvent
    from photosearch.watching import Watching

ENVIRONMENT = "PHOTOSEARCH_LIBRARY"


def default_library_path() -> Path:
    """The folder named by PHOTOSEARCH_LIBRARY, or one in the platform's place for user data."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("photosearch", appauthor=False) / "library"


def _folder(path: str | os.PathLike[str] | None) -> Path:
    """The library folder meant by `path`, whatever the current folder will be later on."""
    folder = default_library_path() if path is None else Path(path).expanduser()
    return folder.absolute()


class Library(Searches, ModelChoice):
    """Photos, indexed and searchable. Use as a context manager.

    with Library.open() as library:
        hits = library.search("two dogs on a beach", limit=20)
    """

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

        `model` is the folder of a bundle to search and index with, whichever the library uses. A
        library that does not exist yet is made, unless `readonly` or not `new`.

        Raises `LibraryError` when it cannot be opened.
        """
        if not new and not cls.exists(path):
            raise gone(_folder(path))
        with _explained():
            return cls(Catalogue.open(_folder(path), readonly=readonly), model)

    @classmethod
    def exists(cls, path: str | os.PathLike[str] | None = None) -> bool:
        """Whether there is a library in folder `path`, or in the default one."""
        return (_folder(path) / "catalogue.db").is_file()

    def index(
        self,
        folders: Sequence[str | os.PathLike[str]] = (),
        *,
        workers: int | None = None,
        retry: bool = False,
        wait: bool = False,
        stop: threading.Event | None = None,
    ) -> Generator[Event, None, None]:
        """Index the photos below `folders`, or all known ones; only new and changed files are read.

        A known folder that is not there has its photos hidden until it is back. With `retry` the
        files listed as problems are tried again.

        While another model is to come into use (see `use_model`), all known folders are looked
        through, and all photos are encoded by it too. When none is left searches switch to it.

        `workers` decoding processes are used, one a core when left out. Every photo reported as
        indexed is safely recorded, so closing the iterator early loses nothing reported.

        When `stop` is set, by whatever thread, what was decoded is recorded and reported within
        about a second, and the iterator ends without `Finished`. So it does at Ctrl-C, and then
        raises `KeyboardInterrupt`; but that may come at any moment, so a program that expects to be
        interrupted does better to set `stop`.

        While another process changes the library nothing is done: an error says which one, or with
        `wait` the run begins when that one is done.

        Raises `UsageError` for an unknown folder that does not exist, before anything is done;
        `LibraryError` when the library cannot be written; `BundleError`.
        """
        from photosearch.indexing.scan import resolve_roots

        with _explained():
            known = self._catalogue.folders()
        if not folders and not known:
            raise UsageError("no folder is known yet; name one to index")
        return self._index(resolve_roots(folders, known), workers, retry, wait, stop=stop)

    def _index(
        self,
        folders: Sequence[str],
        workers: int | None,
        retry: bool,
        wait: bool,
        *,
        parts: bool = False,
        stop: threading.Event | None = None,
    ) -> Generator[Event, None, None]:
        from photosearch.indexing.events import Held
        from photosearch.indexing.gathering import StoppedError
        from photosearch.indexing.switching import SwitchingRun

        with _explained(), ExitStack() as stack:
            try:
                stack.enter_context(self._lock.held())
            except InUseError as error:
                if not wait:
                    raise
                yield Held(str(error.holder or "another process"))
                stack.enter_context(self._lock.held(wait=True))
            # Looked up again: who had the lock may have changed it.
            known = self._catalogue.folders()
            run = SwitchingRun(
                self._catalogue,
                self._models,
                folders or known,
                known,
                workers=workers,
                retry=retry,
                parts=parts,
                stop=stop,
            )
            with suppress(StoppedError):
                yield from run.events()

    def watch(
        self,
        folders: Sequence[str | os.PathLike[str]] = (),
        *,
        workers: int | None = None,
        poll: bool = False,
        interval: float = 30.0,
        quiet: float = 2.0,
        stop: threading.Event | None = None,
    ) -> Generator[Event | Watching, None, None]:
        """Index `folders`, or all known ones, and then what changes in them, until `stop` is set.

        What has changed is indexed when its folder has been quiet for `quiet` seconds. Folders on
        network drives are looked through every `interval` seconds, and with `poll` all are. While
        another process changes the library, this waits.

        Raises as `index` does.
        """
        from photosearch.indexing.scan import resolve_roots
        from photosearch.watching import Watcher

        if not folders and not self.folders:
            raise UsageError("no folder is known yet; name one to watch")
        named = resolve_roots(folders, self.folders)
        watcher = Watcher(
            lambda: named or self.folders,
            lambda roots, parts: self._index(roots, workers, False, True, parts=parts, stop=stop),
            poll=poll,
            interval=interval,
            quiet=quiet,
        )
        return watcher.events(stop)

    def read_text(self) -> Generator[ReadingEvent, None, None]:
        """Look for text in the photos in which nobody has, so that searches find its words.

        What was reported is recorded, so closing the iterator early loses nothing reported.

        Raises `UsageError` without the extra `ocr`; `LibraryError` when the library cannot be
        written, also since another process is changing it.
        """
        from photosearch.reading.reader import TextReader
        from photosearch.reading.run import read_text

        with self.writing(), _explained():
            yield from read_text(self._catalogue, TextReader())

    def forget(self, folder: str | os.PathLike[str], *, dry_run: bool = False) -> int:
        """Drop what is recorded of the photos below `folder`; how many. No photo is touched.

        With `dry_run` they are only counted.

        Raises `UsageError` when nothing is recorded there; `LibraryError` when the library cannot
        be written, or another process is changing it.
        """
        if not os.fspath(folder):
            raise UsageError("the name of a folder to forget is empty; give its path")
        path = os.path.abspath(os.path.expanduser(os.fspath(folder)))
        with _explained():
            photos, others = self._catalogue.count_below(path)
            if not photos and not others:
                # The same folder, with its accents written in another way.
                if spelt := self._catalogue.spellings(path):
                    return sum(self.forget(other, dry_run=dry_run) for other in spelt)
                known = ", ".join(self._catalogue.folders()) or "none"
                raise UsageError(f"{path}: nothing is recorded below it; known folders: {known}")
            if dry_run:
                return photos
            with self._lock.held():
                forgotten = self._catalogue.forget(path)
                # They can be built again, and hold the vectors of what was forgotten.
                FaissIndex.discard(self.folder)
            return forgotten

    @property
    def folders(self) -> list[str]:
        """The folders, and single pictures, that were indexed."""
        with _explained():
            return self._catalogue.folders()

    def export(
        self,
        file: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        with_models: bool = False,
    ) -> Exported:
        """Write the library, but no photo, to `file`, for `import_from` on another machine.

        With `with_models` the models whose vectors are in it go along.

        Raises `UsageError` when `file` is there and not `overwrite`; `LibraryError`; `BundleError`.
        """
        from photosearch.portable import export_library

        with _explained():
            return export_library(
                self._catalogue,
                self._models,
                Path(file).expanduser().absolute(),
                overwrite=overwrite,
                with_models=with_models,
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

        with _explained():
            return import_library(
                _folder(path),
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

        folder = _folder(path)
        if not cls.exists(folder):
            raise LibraryError(f"{folder}: there is no library here; index a folder first")
        with _explained(), WriterLock(folder).held() if repair else nullcontext():
            yield from examine(folder, model, repair=repair)

    def files(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The files of the photos of `ids`, in that order; ids that are not there are left out."""
        with _explained():
            return self._catalogue.files(ids)

    def file_at(self, path: str) -> PhotoFile | None:
        """The file of the photo at an absolute path, or of the one to which the file belongs."""
        with _explained():
            return self._catalogue.file_at(path)

    @contextmanager
    def shelves(self) -> Iterator[Shelves]:
        """Photos by month, place, folder and camera; albums and favourites.

        with library.shelves() as shelves:
            months = shelves.groups("month")

        What is done inside raises `LibraryError`.
        """
        with _explained():
            yield self._catalogue.shelves

    def about(self, photo: PhotoName) -> About:
        """All that is known of a photo, by its id, "photo:ID", or its path.

        The path may also be that of a file which belongs to it, such as its RAW.

        Raises `UsageError` when the library has no such photo; `LibraryError`.
        """
        with _explained():
            return about(self._catalogue, photo_named(photo))

    def newest(self, limit: int = 20) -> list[PhotoFile]:
        """The files of the photos that were indexed last, newest first."""
        with _explained():
            return self._catalogue.newest(limit)

    def metadata(self, ids: Sequence[int]) -> dict[int, Metadata]:
        """What the photos of `ids` say of themselves; those that say nothing are left out."""
        with _explained():
            return self._catalogue.metadata(ids)

    def status(self) -> Status:
        """What the library holds now. Raises `LibraryError`; `BundleError` for a damaged model."""
        with _explained():
            return status_of(self._catalogue, self._models)
