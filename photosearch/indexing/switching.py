"""An index run with the models of a library: the one that answers, and the one that is wanted.

Where they differ, new and changed photos are first encoded by the one that answers, so that they
can be found at once. Then all photos are encoded by the wanted one, and only when none is left does
it answer. However the run ends before that, the old one goes on answering.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from index import Catalogue
from photosearch.indexing.events import Event, Finished, Indexed, Kept, Switched
from photosearch.indexing.pipeline import IndexRun
from photosearch.indexing.rebuild import Rebuild
from photosearch.indexing.scan import resolve_roots
from photosearch.models import Models


class SwitchingRun:
    """One run over `folders`, and over all `known` ones too where the wanted model differs.

    With `parts` the folders are parts of known ones, and the model is not changed. When `stop` is
    set, what is decoded is recorded and `StoppedError` raised.

    Raises `UsageError` for a folder that cannot be indexed; `BundleError`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        models: Models,
        folders: Sequence[str],
        known: Sequence[str],
        *,
        workers: int | None = None,
        retry: bool = False,
        parts: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self._catalogue, self._models = catalogue, models
        self._workers, self._retry, self._parts = workers, retry, parts
        self._stop = stop
        self._wanted = models.wanted()
        self._present = models.answering() or self._wanted
        encoder = models.encoder(self._wanted)
        self._bundle_id = encoder.bundle_id
        active = catalogue.active_bundle
        self._in_question = not parts and models.named is None and active != self._bundle_id
        # A model is changed for the whole library: what is left out would not be found any more.
        every = self._in_question and bool(catalogue.bundle_ids())
        self._roots = (
            list(folders) if parts else resolve_roots([*folders, *(known if every else ())], known)
        )

    def events(self) -> Generator[Event, None, None]:
        """Do the run; `Finished` comes last."""
        started = time.monotonic()
        present = self._models.encoder(self._present)
        run = IndexRun(
            self._catalogue,
            present,
            self._roots,
            workers=self._workers,
            retry=self._retry,
            parts=self._parts,
            stop=self._stop,
        )
        finished = None
        kept = False
        with closing(run.events()) as events:
            for event in events:
                # While the decoders are at work: before, they would wait for it.
                if isinstance(event, Indexed) and not kept:
                    self._models.keep(self._wanted)
                    kept = True
                if isinstance(event, Finished):
                    finished = event
                else:
                    yield event
        if not kept and not self._models.store.holds(self._bundle_id):
            self._models.keep(self._wanted)
        failed = 0
        if self._in_question:
            rebuild = Rebuild(
                self._catalogue,
                self._models.encoder(self._wanted),
                workers=self._workers,
                stop=self._stop,
            )
            if present.bundle_id != self._bundle_id:
                yield from rebuild.events()
            failed = rebuild.failed
            if rebuild.unread:
                yield Kept(present.bundle_id, rebuild.unread)
            else:
                previous = self._models.switch(self._wanted)
                if previous is not None:
                    yield Switched(self._bundle_id, previous)
        if finished is not None:
            seconds = time.monotonic() - started
            yield replace(finished, failed=finished.failed + failed, seconds=seconds)
