"""What the pages work with: one library, and what is done with it in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from photosearch.delivery.thumbnails import Thumbnails
from photosearch.indexing.limits import limits_by
from photosearch.library import Library
from photosearch.serving.clusters import ClusterMaker
from photosearch.serving.library_thread import LibraryThread
from photosearch.serving.shrinking import Shrinkers
from photosearch.settings import library_folder, read
from photosearch.ui.copies import Copies
from photosearch.ui.downloads import Downloads
from photosearch.ui.examples import Examples
from photosearch.ui.faces import finding_faces
from photosearch.ui.job import IndexJob
from photosearch.ui.ocr import reading
from photosearch.ui.passes import BackgroundPass
from photosearch.ui.queries import Pictures
from photosearch.ui.recent import RecentSearches
from photosearch.ui.shares import Shares
from photosearch.ui.switches import Switches

T = TypeVar("T")


@dataclass(frozen=True)
class DesktopWindow:
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
    """`searching` searches, with the model; `lookups` looks photos up, which takes no time;
    `suggesting` completes what is typed, beside the search for it; `slow` does what takes seconds
    or minutes, with a model of its own, and opens it only then.

    `local` tells that only this machine can connect, and `faces` that faces may be shown.
    """

    searching: LibraryThread
    lookups: LibraryThread
    suggesting: LibraryThread
    slow: LibraryThread
    job: IndexJob
    downloads: Downloads
    readings: BackgroundPass
    face_pass: BackgroundPass
    shrinkers: Shrinkers
    thumbnails: Thumbnails
    pictures: Pictures
    examples: Examples
    recent: RecentSearches
    copies: Copies
    shares: Shares
    clusters: ClusterMaker
    local: bool
    faces: bool
    folder: Path
    model: str | os.PathLike[str] | None
    window: DesktopWindow | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        local: bool = True,
        window: DesktopWindow | None = None,
    ) -> Self:
        """For the library in folder `path`, or the default one, which is made if need be.

        Raises `LibraryError` or `BundleError` when it or the model cannot be used.
        """
        folder = library_folder(path)
        settings = read(folder, model=model)
        limits, faces = limits_by(settings, 2), local or settings.serve_faces
        lookups = LibraryThread(folder, model, new=True, faces=faces)
        try:
            # What is wrong with either is told before a window opens.
            lookups.begin(Library.status)
        except BaseException:
            lookups.close()
            raise
        shrinkers = Shrinkers(limits=limits)
        switches = Switches(folder)
        readings, face_pass = reading(folder, switches), finding_faces(folder)
        searching, suggesting, slow = (LibraryThread(folder, model, faces=faces) for _ in range(3))

        alone = partial(_paused, readings, face_pass)
        job = IndexJob(folder, model, switches, alone, workers=workers)

        def use(bundle_id: str) -> bool:
            if job.progress.running:
                return False
            with alone():
                lookups.ask_now(lambda it: it.models.use(bundle_id))
            return not lookups.ask_now(lambda it: it.folders) or job.start(())

        downloads = Downloads(folder, use)
        downloads.go_on()
        return cls(
            searching=searching,
            lookups=lookups,
            suggesting=suggesting,
            slow=slow,
            job=job,
            downloads=downloads,
            readings=readings,
            face_pass=face_pass,
            shrinkers=shrinkers,
            thumbnails=Thumbnails(folder, shrinkers),
            pictures=Pictures(shrinkers),
            examples=Examples(folder, searching, lookups),
            recent=RecentSearches(folder, kept=local),
            copies=Copies(slow),
            # With processes of their own: the page's thumbnails need not wait.
            shares=Shares(lambda: Shrinkers(limits=limits)),
            clusters=ClusterMaker(folder, model),
            local=local,
            faces=faces,
            folder=folder,
            model=model,
            window=window,
        )

    async def in_thread(self, do: Callable[..., T], *given: object) -> T:
        """What `do` gives, on a thread where it may take its time."""
        return await asyncio.to_thread(do, *given)

    async def change(self, do: Callable[[Library], T]) -> T:
        """What `do` gives, while nothing else in the background changes the library."""
        return await self.in_thread(self._change, do)

    def _change(self, do: Callable[[Library], T]) -> T:
        with _paused(self.readings, self.face_pass):
            return self.lookups.ask_now(do)

    def close(self) -> None:
        self.downloads.close()
        self.job.stop(wait=True)
        self.readings.close()
        self.face_pass.close()
        self.clusters.close()
        self.shares.close()
        self.shrinkers.close()
        self.searching.close()
        self.lookups.close()
        self.suggesting.close()
        self.slow.close()


@contextmanager
def _paused(*passes: BackgroundPass) -> Iterator[None]:
    """Nothing of these changes the library meanwhile."""
    with ExitStack() as stack:
        for each in passes:
            stack.enter_context(each.paused())
        yield
