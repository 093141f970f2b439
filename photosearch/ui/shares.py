"""Photos shared from the page, one order at a time, and how far it is."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from photosearch.errors import PhotosearchError, UsageError
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.order import Order

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Share:
    """One order. It is "waiting" until the browser fetches its zip file; `error` is why it failed.

    `folder` is where it is written, None for a zip file.
    """

    id: str
    order: Order
    state: Literal["waiting", "running", "done", "stopped", "failed"]
    folder: Path | None = None
    error: str | None = None


class Shares:
    """Safe to ask from any thread. `pool` gives processes that make pictures, for one order."""

    def __init__(self, pool: Callable[[], Shrinkers]) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._now: Share | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(
        self,
        make: Callable[[Callable[[], bool]], Order],
        place: Callable[[Order], Path] | None,
    ) -> Share:
        """Begin what `make` gives, which is told whether it is to stop.

        Into the folder that `place` gives, or as a zip file, which is then to be fetched. Raises
        `UsageError` while another goes on, and what the two raise.
        """
        with self._lock:
            if self._now is not None and self._now.state == "running":
                raise UsageError("photos are being shared already; wait, or stop that first")
            stop = self._stop = threading.Event()
            order = make(stop.is_set)
            folder = place and place(order)
            state: Literal["waiting", "running"] = "waiting" if folder is None else "running"
            share = self._now = Share(secrets.token_urlsafe(9), order, state, folder)
            if folder is not None:
                self._thread = threading.Thread(
                    target=self._write, args=(share, folder), name="photosearch-share"
                )
                self._thread.start()
        return share

    def now(self, name: str) -> Share:
        """The order of this name. Raises `UsageError` when another was begun since."""
        share = self._now
        if share is None or share.id != name:
            raise UsageError("these photos are no longer being shared; begin again")
        return share

    def pieces(self, name: str) -> Iterator[bytes]:
        """The zip file of an order, once. Raises `UsageError` when it was fetched already."""
        with self._lock:
            share = self.now(name)
            if share.state != "waiting":
                raise UsageError("this zip file was fetched already; begin again")
            self._now = replace(share, state="running")
        return self._zip(share)

    def stop(self) -> None:
        """End what goes on at the next chance."""
        self._stop.set()
        with self._lock:
            if self._now is not None and self._now.state == "waiting":
                self._now = replace(self._now, state="stopped")

    def close(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _write(self, share: Share, folder: Path) -> None:
        try:
            for _ in self._carried_out(share, lambda pool: share.order.written(pool, folder)):
                pass
        except PhotosearchError:
            _log.debug("sharing failed", exc_info=True)
        except Exception:
            _log.exception("sharing ended unexpectedly")

    def _zip(self, share: Share) -> Iterator[bytes]:
        yield from self._carried_out(share, share.order.zipped)

    def _carried_out(
        self, share: Share, carry_out: Callable[[Shrinkers], Iterator[T]]
    ) -> Iterator[T]:
        pool = self._pool()
        ended = replace(share, state="stopped")
        try:
            yield from carry_out(pool)
            tally = share.order.tally
            ended = replace(share, state="done" if tally.done == tally.total else "stopped")
        except Exception as error:
            ended = replace(share, state="failed", error=str(error) or type(error).__name__)
            raise
        finally:
            with self._lock:
                if self._now is not None and self._now.id == share.id:
                    self._now = ended
            # It may wait for a picture, and a browser that goes away is noticed where none may.
            threading.Thread(target=pool.close, name="photosearch-shared").start()
