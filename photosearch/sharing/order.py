"""One sharing: which photos, as what, and how far it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from photosearch.errors import UsageError
from photosearch.portable.names import portable_name
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.folder import whole_folder, written
from photosearch.sharing.making import File, make_files
from photosearch.sharing.wanted import Shared, Tally, Wanted
from photosearch.sharing.web_album import Look, album_files
from photosearch.sharing.zipped import zipped


class Order:
    """Photos to share, as files or, with a `look`, as a web album; to be carried out once.

    When `stopped` says so it ends with the photos that are done.

    Raises `UsageError` for an album of originals, which browsers cannot show.
    """

    def __init__(
        self,
        photos: Sequence[Shared],
        wanted: Wanted,
        look: Look | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        if look is not None and not wanted.jpeg:
            raise UsageError("a web album is of JPEGs; say how large they should be")
        self.tally = Tally(len(photos))
        self._photos, self._wanted, self._look = photos, wanted, look
        self._stopped = stopped

    @property
    def name(self) -> str:
        """What a file or folder of it may be called."""
        return self._look.title if self._look else "photos"

    def zipped(self, shrinkers: Shrinkers) -> Generator[bytes, None, None]:
        """A zip file, in pieces."""
        # An album is unpacked into one folder, wherever that is done.
        folder = portable_name(self.name) if self._look else ""
        with closing(self._files(shrinkers)) as files:
            yield from zipped(files, self._wanted, self.tally, folder)

    def written(self, shrinkers: Shrinkers, folder: Path) -> Generator[Path, None, None]:
        """Files in `folder`, one after the other; where each is.

        An album needs an empty folder of its own, of which nothing is left when it cannot be
        finished. Of photos those that are written stay. Raises `FolderError`.
        """
        if self._look is None:
            with closing(self._files(shrinkers)) as files:
                yield from written(files, self._wanted, self.tally, folder)
            return
        with whole_folder(folder, "index.html") as place:
            for path in self._album(shrinkers, place, folder):
                yield folder / path.relative_to(place)

    def _album(self, shrinkers: Shrinkers, folder: Path, called: Path) -> Iterator[Path]:
        paths: list[Path] = []
        whole = False
        try:
            with closing(self._files(shrinkers)) as files:
                for path in written(files, self._wanted, self.tally, folder, called):
                    paths.append(path)
                    yield path
            whole = True
        finally:
            if not whole:
                _remove(paths, folder)

    def _files(self, shrinkers: Shrinkers) -> Generator[File, None, None]:
        made = make_files(self._photos, self._wanted, shrinkers, self.tally, self._stopped)
        with closing(made) as files:
            if self._look is None:
                yield from files
            else:
                yield from album_files(files, self._look, shrinkers, self.tally)


def _remove(paths: Sequence[Path], folder: Path) -> None:
    """What was written, and no more: something else may have come there since."""
    for path in paths:
        with suppress(OSError):
            os.unlink(path)
    for place in (*sorted({path.parent for path in paths} - {folder}), folder):
        with suppress(OSError):
            place.rmdir()
