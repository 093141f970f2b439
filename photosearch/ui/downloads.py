"""Models brought here in the background, in a process of their own, and put to use when asked to.

The server itself is told never to go online; and what fetches and converts can be ended at any
moment, for what is there is kept. What was asked for is kept too, so that it goes on when the
server is started again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from index import InUseError
from index.safety.whole import write_whole
from photosearch.errors import PhotosearchError
from photosearch.library import Library
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offers import check_licence, find_offer
from photosearch.pulling.run import Converting, Downloading, Pulled, PullEvent
from photosearch.ui.background import BackgroundProcess

# Seconds between two reports of the process, and two looks whether the library is free.
_EVERY = 0.2
_FILE = "download.json"
State = Literal["idle", "asking", "loading", "converting", "waiting", "done", "paused", "failed"]


@dataclass(frozen=True)
class Order:
    """What was asked for: a model by its name, or by the `folder` of its bundle. With `use` it is
    to answer searches afterwards. `licence` is the one that was accepted."""

    name: str
    licence: str | None = None
    folder: str | None = None
    use: bool = False


@dataclass(frozen=True)
class Download:
    """How far a download is: `done` of `total` bytes, then `seconds` of converting.

    `model` is its name, `id` that of the model that came of it, and `error` why none did. `use`
    tells that it is to answer searches; "waiting" is for another run on the library to end.
    """

    state: State = "idle"
    model: str | None = None
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    id: str | None = None
    error: str | None = None
    use: bool = False

    @property
    def running(self) -> bool:
        return self.state in ("asking", "loading", "converting", "waiting")


class Downloads:
    """One download at a time. Safe to ask from any thread.

    `use` lets a model, given by its id, answer, and begins to encode the photos; it returns False
    when something else is at work on the library, and is tried again then.
    """

    def __init__(self, library: Path, use: Callable[[str], bool]) -> None:
        self._library, self._use = library, use
        self._path = library / _FILE
        self._lock = threading.Lock()
        self._now = Download()
        self._order: Order | None = None
        self._process = BackgroundProcess(self._note)
        self._ending = threading.Event()
        self._user: threading.Thread | None = None

    @property
    def now(self) -> Download:
        with self._lock:
            return self._now

    def start(self, order: Order) -> bool:
        """Begin to bring a model; False if another one is being brought.

        Raises `UsageError` when there is none of this name, its licence is not accepted, or it
        takes the trainer and that is not installed.
        """
        if order.folder is None:
            offer = find_offer(order.name)
            check_licence(offer, order.licence)
            if offer.converted:
                check_trainer()
            order = replace(order, name=offer.name)
        with self._lock:
            if self._now.running:
                return False
            self._order = order
            self._now = Download("asking", order.name, use=order.use)
        self._keep(order, paused=False)
        self._process.start(_bring, self._library, order)
        return True

    def pause(self) -> None:
        """End the download; what has come is kept, also when the server ends."""
        with self._lock:
            if not self._now.running or self._now.state == "waiting":
                return
            self._now = replace(self._now, state="paused")
            order = self._order
        self._process.end()
        if order is not None:
            self._keep(order, paused=True)

    def resume(self) -> bool:
        """Go on with what was paused, or has failed; False when there is nothing of the kind."""
        with self._lock:
            order = self._order
            if order is None or self._now.state not in ("paused", "failed"):
                return False
        return self.start(order)

    def discard(self) -> None:
        """Forget what was paused, or has failed, and delete what has come of it."""
        with self._lock:
            order = self._order
            if order is None or self._now.state not in ("paused", "failed"):
                return
            self._order, self._now = None, Download()
        self._forget()
        if order.folder is None:
            with Library.open(self._library, new=False) as library:
                library.models.discard(order.name)

    def go_on(self) -> None:
        """Take up what an earlier server was asked for; what it had paused stays paused."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            paused = bool(kept.pop("paused"))
            order = Order(**kept)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return
        with self._lock:
            self._order = order
            self._now = Download("paused", order.name, use=order.use)
        if not paused:
            try:
                self.resume()
            except PhotosearchError as error:
                self._fail(str(error))

    def close(self) -> None:
        """End the process and the threads; the next server goes on."""
        self._ending.set()
        self._process.end()
        user = self._user
        if user is not None:
            user.join()

    def _note(self, told: PullEvent | PhotosearchError | None) -> None:
        if isinstance(told, Pulled):
            self._pulled(told.id)
            return
        with self._lock:
            now = self._now
            if not now.running:
                return
            match told:
                case Downloading(_, done, total):
                    self._now = replace(now, state="loading", done=done, total=total)
                case Converting(_, seconds):
                    self._now = replace(now, state="converting", seconds=seconds)
                case PhotosearchError():
                    self._now = replace(now, state="failed", error=str(told))
                case None if now.state != "waiting":
                    error = "the download ended without a word; try again"
                    self._now = replace(now, state="failed", error=error)

    def _pulled(self, bundle_id: str) -> None:
        with self._lock:
            if not self._now.running:
                return
            self._now = replace(
                self._now, state="waiting" if self._now.use else "done", id=bundle_id
            )
            if self._now.use:
                self._user = threading.Thread(
                    target=self._put_to_use, args=(bundle_id,), name="photosearch-use-model"
                )
                self._user.start()
        if not self.now.use:
            self._forget()

    def _put_to_use(self, bundle_id: str) -> None:
        """As soon as nothing else changes the library."""
        while not self._ending.wait(_EVERY):
            try:
                if not self._use(bundle_id):
                    continue
            except PhotosearchError as error:
                if isinstance(error.__cause__, InUseError):
                    continue
                self._fail(str(error))
                return
            with self._lock:
                self._now = replace(self._now, state="done")
            self._forget()
            return

    def _fail(self, error: str) -> None:
        with self._lock:
            self._now = replace(self._now, state="failed", error=error)

    def _keep(self, order: Order, *, paused: bool) -> None:
        # On a full or read-only disk it holds for as long as the page is served.
        with suppress(OSError):
            write_whole(self._path, json.dumps(asdict(order) | {"paused": paused}).encode())

    def _forget(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _bring(tell: Callable[[PullEvent], None], library: Path, order: Order) -> None:
    told = 0.0
    with Library.open(library, new=False) as opened:
        begun = (
            opened.models.pull(order.name, accept_licence=order.licence)
            if order.folder is None
            else opened.models.add(order.folder)
        )
        with closing(begun) as events:
            for event in events:
                if isinstance(event, Pulled) or time.monotonic() - told >= _EVERY:
                    tell(event)
                    told = time.monotonic()
