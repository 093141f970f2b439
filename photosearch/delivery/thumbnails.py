"""Small pictures of photos, kept in the library folder by what is in the file."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from weakref import WeakValueDictionary

from index import FileStamp, PhotoFile
from photosearch.elsewhere.addresses import is_address
from photosearch.serving.face_picture import FacePicture
from photosearch.serving.shrinking import Shrinkers, Small
from photosearch.thumbnail_files import FOLDER, GRID, keep, place_of

# Longest side, in pixels, of one that fills a screen. Only the small ones are kept: making a large
# one takes a moment, and 30,000 of them would take gigabytes.
SCREEN = 2048


class Thumbnails:
    """WebP pictures by the content of the photo, so that copies and moved photos share one."""

    def __init__(self, library: Path, shrinkers: Shrinkers, *, keeping: bool = True) -> None:
        """Without `keeping` those that are there are used, and none is written or removed."""
        self._library = library
        self._shrinkers = shrinkers
        self._keeping = keeping
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        older = list((library / FOLDER).glob("[0-9a-f][0-9a-f]"))
        if older and keeping:
            self._clearing = threading.Thread(target=_remove, args=(older,), daemon=True)
            self._clearing.start()

    def kept(self, photo: PhotoFile) -> Path | None:
        """The file of the grid's picture if it was made before."""
        if photo.digest is None:
            return None
        path = place_of(self._library, photo.digest)
        return path if path.is_file() else None

    async def grid(self, photo: PhotoFile) -> bytes:
        """The picture for the grid. Raises `ShrinkError`."""
        if photo.digest is None:
            return (await self._make(photo, GRID)).data
        # A page asks for copies at once, and when it is reloaded for all of it again.
        async with self._turns.setdefault(photo.digest, asyncio.Lock()):
            path = self.kept(photo)
            if path is not None:
                return await asyncio.to_thread(path.read_bytes)
            small = await self._make(photo, GRID)
            # A file that was changed since is another picture, which the next index run will know.
            is_current = FileStamp(small.size, small.mtime_ns) == photo.stamp
            if is_current and self._keeping:
                await asyncio.to_thread(keep, self._library, photo.digest, small.data)
            return small.data

    async def face(
        self,
        photo: PhotoFile,
        area: tuple[float, float, float, float],
        seconds: float | None = None,
    ) -> bytes:
        """The face in an area of it, of a video in the frame at `seconds`; it is kept nowhere.

        Raises `ShrinkError`.
        """
        made = self._shrinkers.make(photo.path, FacePicture(area, seconds).make)
        return (await asyncio.wrap_future(made)).data

    async def screen(self, photo: PhotoFile) -> bytes:
        """The picture as large as a screen, or the small one of a photo that is in no folder.

        Raises `ShrinkError`.
        """
        if is_address(photo.path):
            return await self.grid(photo)
        return (await self._make(photo, SCREEN)).data

    async def _make(self, photo: PhotoFile, side: int) -> Small:
        return await asyncio.wrap_future(self._shrinkers.shrink(photo.path, side))


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
