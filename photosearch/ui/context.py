"""What the pages work with: one library, and what is done with it in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from photosearch.library import Library, default_library_path
from photosearch.ui.desk import Desk
from photosearch.ui.job import IndexJob
from photosearch.ui.shrinking import Shrinkers
from photosearch.ui.thumbnails import Thumbnails

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """`finder` searches, with the model; `clerk` looks photos up, and nobody waits long for it.

    `local` tells that only this machine can connect; `chooser` lets the user choose a folder in the
    system's own dialog, where there is one, and gives None when they chose none.
    """

    finder: Desk
    clerk: Desk
    job: IndexJob
    shrinkers: Shrinkers
    thumbnails: Thumbnails
    local: bool
    chooser: Callable[[], str | None] | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        local: bool = True,
        chooser: Callable[[], str | None] | None = None,
    ) -> Self:
        """For the library in folder `path`, or the default one, which is made if need be.

        Raises `LibraryError` or `BundleError` when it or the model cannot be used.
        """
        path = default_library_path() if path is None else path
        # What is wrong with either is told before a window opens.
        with Library.open(path, model=model) as library:
            folder = library.folder
            library.status()
        shrinkers = Shrinkers()
        return cls(
            finder=Desk(folder, model),
            clerk=Desk(folder, model),
            job=IndexJob(folder, model, workers=workers),
            shrinkers=shrinkers,
            thumbnails=Thumbnails(folder, shrinkers),
            local=local,
            chooser=chooser,
        )

    async def hands(self, do: Callable[..., T], *given: object) -> T:
        """What `do` gives, on a thread where it may take its time."""
        return await asyncio.to_thread(do, *given)

    def close(self) -> None:
        self.job.stop(wait=True)
        self.shrinkers.close()
        self.finder.close()
        self.clerk.close()
