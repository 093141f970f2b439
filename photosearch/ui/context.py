"""What the pages work with: one library, and what is done with it in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from photosearch.library import Library, default_library_path
from photosearch.ui.desk import Desk
from photosearch.ui.downloads import Downloads
from photosearch.ui.job import IndexJob
from photosearch.ui.reading import Readings
from photosearch.ui.settings import Settings
from photosearch.ui.shrinking import Shrinkers
from photosearch.ui.thumbnails import Thumbnails

T = TypeVar("T")


@dataclass(frozen=True)
class Doors:
    """What a window of our own can do for the page.

    `choose_folder` tells whether there is a dialog of the system, and what was chosen in it, None
    for nothing. `show` brings the window forward for whoever knows the `secret`; `quit` ends it.
    """

    choose_folder: Callable[[], tuple[bool, str | None]]
    show: Callable[[], None]
    quit: Callable[[], None]
    secret: str


@dataclass(frozen=True)
class Context:
    """`finder` searches, with the model; `clerk` looks photos up, and nobody waits long for it;
    `thinker` does what takes seconds or minutes, with a model of its own, and opens it only then.

    `local` tells that only this machine can connect.
    """

    finder: Desk
    clerk: Desk
    thinker: Desk
    job: IndexJob
    downloads: Downloads
    readings: Readings
    shrinkers: Shrinkers
    thumbnails: Thumbnails
    local: bool
    folder: Path
    model: str | os.PathLike[str] | None
    doors: Doors | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        local: bool = True,
        doors: Doors | None = None,
    ) -> Self:
        """For the library in folder `path`, or the default one, which is made if need be.

        Raises `LibraryError` or `BundleError` when it or the model cannot be used.
        """
        path = default_library_path() if path is None else path
        # What is wrong with either is told before a window opens.
        with Library.open(path, model=model) as library:
            folder = library.folder
            library.status()
        shrinkers, settings = Shrinkers(), Settings(folder)
        readings = Readings(folder, settings)
        return cls(
            finder=Desk(folder, model),
            clerk=Desk(folder, model),
            thinker=Desk(folder, model),
            job=IndexJob(folder, model, settings, readings.paused, workers=workers),
            downloads=Downloads(folder),
            readings=readings,
            shrinkers=shrinkers,
            thumbnails=Thumbnails(folder, shrinkers),
            local=local,
            folder=folder,
            model=model,
            doors=doors,
        )

    async def hands(self, do: Callable[..., T], *given: object) -> T:
        """What `do` gives, on a thread where it may take its time."""
        return await asyncio.to_thread(do, *given)

    async def change(self, do: Callable[[Library], T]) -> T:
        """What `do` gives, while nothing else in the background changes the library."""
        return await self.hands(self._change, do)

    def _change(self, do: Callable[[Library], T]) -> T:
        with self.readings.paused():
            return self.clerk.ask_now(do)

    def close(self) -> None:
        self.downloads.stop()
        self.job.stop(wait=True)
        self.readings.close()
        self.shrinkers.close()
        self.finder.close()
        self.clerk.close()
        self.thinker.close()
