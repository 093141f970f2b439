"""Copies of bundles in a folder of our own, each in a folder named by its id.

A model that somebody named by its folder, or that a later photosearch brings no more, stays at hand
for the vectors that it made.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from photosearch.encoders.bundle import MANIFEST, Bundle
from photosearch.errors import BundleError

_PART = ".part"
_PIECE = 4 << 20
_LEFT_SECONDS = 3600.0


class BundleStore:
    """The bundles in `folder`, which is made when the first is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, bundle_id: str) -> Path:
        """Where the bundle of this id is, or would be."""
        return self.folder / bundle_id

    def holds(self, bundle_id: str) -> bool:
        return (self.place(bundle_id) / MANIFEST).is_file()

    def ids(self) -> list[str]:
        """The ids of the bundles held, in order."""
        with suppress(OSError):
            return sorted(path.name for path in self.folder.iterdir() if self.holds(path.name))
        return []

    def add(self, source: Path) -> Bundle:
        """Copy the bundle in folder `source`; one that is held, and whole, is left as it is.

        The copy is made beside its place, checked, and renamed: what is in place is whole.

        Raises `BundleError` when `source` is no whole bundle, or the copy cannot be written.
        """
        copying = self.adding(source)
        while True:
            try:
                next(copying)
            except StopIteration as ended:
                added: Bundle = ended.value
                return added

    def adding(self, source: Path) -> Generator[int, None, Bundle]:
        """As `add`, which tells again and again how many bytes are copied."""
        bundle = Bundle.open(source)
        place = self.place(bundle.id)
        with suppress(BundleError):
            return Bundle.open(place)
        part = self.folder / f".{bundle.id}.{os.getpid()}{_PART}"
        done = 0
        self._clear()
        try:
            for name in (*bundle.manifest["files"], MANIFEST):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                with (source / name).open("rb") as read, (part / name).open("wb") as write:
                    while piece := read.read(_PIECE):
                        write.write(piece)
                        done += len(piece)
                        yield done
            Bundle.open(part)
            shutil.rmtree(place, ignore_errors=True)  # it is damaged
            part.rename(place)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise BundleError(
                f"{place}: cannot be written ({error.strerror or error}); make room on the disk, "
                "or make the folder writable"
            ) from None
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return Bundle.open(place, verify=False)

    def _clear(self) -> None:
        """Remove what killed processes left: no copy takes so long that nothing is added to it."""
        for left in self.folder.glob(f".*{_PART}"):
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - _LEFT_SECONDS:
                    shutil.rmtree(left)

    def take(self, source: Path) -> Bundle:
        """Move the bundle in folder `source`, on the same disk, to its place; as `add` does.

        Raises `BundleError` when `source` is no whole bundle, or cannot be moved.
        """
        bundle = Bundle.open(source)
        place = self.place(bundle.id)
        with suppress(BundleError):
            return Bundle.open(place)
        try:
            shutil.rmtree(place, ignore_errors=True)  # it is damaged
            source.rename(place)
        except OSError as error:
            raise BundleError(
                f"{place}: cannot be written ({error.strerror or error}); make the folder writable"
            ) from None
        return Bundle.open(place, verify=False)

    def remove(self, bundle_id: str) -> int:
        """Delete the copy of a bundle; the bytes of its files.

        Raises `BundleError` when that is not possible.
        """
        place = self.place(bundle_id)
        try:
            freed = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
            # First the file that makes it a bundle, so that a half deleted one is none.
            (place / MANIFEST).unlink()
            shutil.rmtree(place)
        except OSError as error:
            raise BundleError(
                f"{place}: cannot be deleted ({error.strerror or error}); make the folder writable"
            ) from None
        return freed
