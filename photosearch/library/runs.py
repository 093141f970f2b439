"""Index runs on the folders of a library: one at a time, by the model that is wanted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from index import Catalogue, InUseError, WriterLock
from photosearch.encoders import bundled_path
from photosearch.errors import UsageError
from photosearch.model_choice import ModelChoice
from photosearch.nice import on_battery

if TYPE_CHECKING:
    from photosearch.cluster.nodes import Nodes
    from photosearch.indexing.events import Event
    from photosearch.watching import Watching


# Seconds between two looks at where the power comes from.
LOOK = 10.0


class Runs:
    """What `Library.index` and `Library.watch` run."""

    def __init__(self, catalogue: Catalogue, choice: ModelChoice, lock: WriterLock) -> None:
        self._catalogue, self._choice, self._lock = catalogue, choice, lock

    def index(
        self,
        folders: Sequence[str | os.PathLike[str]],
        workers: int | None,
        *,
        retry: bool,
        wait: bool,
        nice: bool | None,
        stop: threading.Event | None,
        on: str | None = None,
    ) -> Generator[Event, None, None]:
        """Index the folders once."""
        roots = self._roots("index", folders, workers)
        if on is not None:
            from photosearch.cluster.nodes import check_address

            check_address(on)
        return self._events(roots, workers, retry=retry, wait=wait, nice=nice, stop=stop, on=on)

    def watch(
        self,
        folders: Sequence[str | os.PathLike[str]],
        workers: int | None,
        *,
        poll: bool,
        interval: float,
        address_interval: float | None,
        quiet: float,
        nice: bool | None,
        stop: threading.Event | None,
    ) -> Generator[Event | Watching, None, None]:
        """Index the folders, and then what changes in them, until `stop` is set."""
        from photosearch.watching import Watcher

        roots = self._roots("watch", folders, workers)
        if address_interval is None:
            address_interval = self._choice.settings.watch_address_interval
        watcher = Watcher(
            lambda: roots or self._catalogue.folders(),
            lambda changed, parts: self._events(
                changed, workers, wait=True, parts=parts, nice=nice, stop=stop
            ),
            poll=poll,
            interval=interval,
            address_interval=address_interval,
            quiet=quiet,
        )
        return watcher.events(stop)

    def _roots(
        self, verb: str, folders: Sequence[str | os.PathLike[str]], workers: int | None
    ) -> list[str]:
        """The folders that were named, as they are known; none where all known ones are meant.

        Raises `UsageError` as `Library.index` does.
        """
        from photosearch.indexing.scan import resolve_roots

        _check_workers(workers)
        known = self._catalogue.folders()
        if not folders and not known:
            raise UsageError(f"no folder is known yet; name one to {verb}")
        return resolve_roots(folders, known)

    def _events(
        self,
        folders: Sequence[str],
        workers: int | None,
        *,
        retry: bool = False,
        wait: bool = False,
        parts: bool = False,
        nice: bool | None = None,
        stop: threading.Event | None = None,
        on: str | None = None,
    ) -> Generator[Event, None, None]:
        """Index `folders`, all known ones where there are none, or with `parts` folders in them.

        While another process changes the library nothing is done: that is an error, or with `wait`
        the run begins when that one is done. A `nice` one waits for mains power as well, without
        keeping others from the library, and then begins anew with what is left.
        """
        from photosearch.indexing.events import OnBattery

        if nice is None:
            nice = self._choice.settings.nice
        while True:
            if nice and on_battery():
                yield OnBattery()
                if not _powered(stop):
                    return
            power = _Power() if nice else None
            yield from self._once(
                folders, workers, retry=retry, wait=wait, parts=parts, stop=stop, power=power, on=on
            )
            if power is None or not power.gone:
                return

    def _once(
        self,
        folders: Sequence[str],
        workers: int | None,
        *,
        retry: bool,
        wait: bool,
        parts: bool,
        stop: threading.Event | None,
        power: _Power | None,
        on: str | None = None,
    ) -> Generator[Event, None, None]:
        """A run, until it is done or the `power`, where that counts, is gone."""
        from photosearch.indexing.decoding import Decoding
        from photosearch.indexing.events import Held
        from photosearch.indexing.gathering import StoppedError
        from photosearch.indexing.switching import SwitchingRun
        from photosearch.library.speed import Speed

        claimed = self._claimed(folders)
        with ExitStack() as stack:
            try:
                stack.enter_context(self._lock.held(folders=claimed))
            except InUseError as error:
                if not wait:
                    raise
                yield Held(str(error.holder or "another process"))
                stack.enter_context(self._lock.held(wait=True, folders=claimed))
            # Looked up now: who had the lock may have changed it.
            known = self._catalogue.folders()
            nice = power is not None
            decoding = Decoding.of(self._choice.settings, workers, nice=nice)
            if on is not None:
                decoding = replace(
                    decoding, elsewhere=stack.enter_context(self._nodes(on, workers))
                )
            run = SwitchingRun(
                self._catalogue,
                self._choice,
                folders or known,
                known,
                decoding=decoding,
                retry=retry,
                parts=parts,
                stop=stop,
            )
            speed = Speed(self._catalogue.folder)
            with suppress(StoppedError), closing(run.events()) as events:
                for event in events:
                    speed.note(event)
                    yield event
                    if power is not None and power.goes():
                        return
            if self._choice.answering() == bundled_path():
                speed.keep()

    def _claimed(self, folders: Sequence[str]) -> Sequence[str]:
        """Of an archive those that nobody else is to index meanwhile; none where that is all."""
        present = self._choice.answering()
        # While another model comes into use all folders are looked through.
        return folders if present is None or present == self._choice.wanted() else ()

    def _nodes(self, on: str, workers: int | None) -> Nodes:
        """The machines of a cluster, with the model by which photos are encoded now."""
        from photosearch.cluster.node import Equipment
        from photosearch.cluster.nodes import Nodes

        wanted = self._choice.wanted()
        present = self._choice.answering() or wanted
        if self._choice.encoder(present).bundle_id != self._choice.encoder(wanted).bundle_id:
            raise UsageError(
                "--on: another model is to come into use, for which photos are encoded on this "
                "machine; run `photosearch index` without it first"
            )
        return Nodes(on, Equipment.of(wanted, self._choice.settings, workers))


class _Power:
    """Whether mains power went away, asked now and then."""

    def __init__(self) -> None:
        self.gone = False
        self._asked = time.monotonic()

    def goes(self) -> bool:
        if time.monotonic() - self._asked >= LOOK:
            self.gone = on_battery()
            self._asked = time.monotonic()
        return self.gone


def _powered(stop: threading.Event | None) -> bool:
    """Wait for mains power; False when `stop` is set first."""
    never = threading.Event()
    while on_battery():
        if (stop or never).wait(LOOK):
            return False
    return True


def _check_workers(workers: int | None) -> None:
    """Raises `UsageError` for more decoding processes than the machine can take, or none."""
    from photosearch.capacity import most_workers

    most = most_workers()
    if workers is not None and not 1 <= workers <= most:
        raise UsageError(f"workers: this machine can take 1 to {most}, and not {workers}")
