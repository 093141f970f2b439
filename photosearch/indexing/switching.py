"""An index run with the models of a library: the one that answers, and the one that is wanted.

Where they differ, new and changed photos are first encoded by the one that answers, so that they
can be found at once. Then all photos are encoded by the wanted one, and only when none is left does
it answer. However the run ends before that, the old one goes on answering.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from index import Catalogue
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.events import Event, Finished, Indexed, Kept, Switched
from photosearch.indexing.pipeline import IndexRun
from photosearch.indexing.rebuild import Rebuild
from photosearch.indexing.scan import resolve_roots
from photosearch.model_choice import ModelChoice

_log = logging.getLogger(__name__)


class SwitchingRun:
    """One run over `folders`, and over all `known` ones too where the wanted model differs.

    With `parts` the folders are parts of known ones, and the model is not changed. When `stop` is
    set, what is decoded is recorded and `StoppedError` raised.

    Raises `UsageError` for a folder that cannot be indexed; `BundleError`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        models: ModelChoice,
        folders: Sequence[str],
        known: Sequence[str],
        *,
        decoding: Decoding,
        retry: bool = False,
        parts: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self._catalogue, self._models = catalogue, models
        self._decoding, self._retry, self._parts = decoding, retry, parts
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
        _log.info("an index run begins, over %d folders", len(self._roots))
        present = self._models.encoder(self._present)
        run = IndexRun(
            self._catalogue,
            present,
            self._roots,
            decoding=self._decoding,
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
                decoding=self._decoding,
                stop=self._stop,
            )
            if present.bundle_id != self._bundle_id:
                yield from rebuild.events()
            failed = rebuild.failed
            if rebuild.unread:
                _log.info("%d photos cannot be reached for another model", rebuild.unread)
                yield Kept(present.bundle_id, rebuild.unread)
            else:
                # Before it answers for the first time.
                self._models.calibrate(self._wanted, self._stop)
                previous = self._models.switch(self._wanted)
                if previous is not None:
                    _log.info("searches use %s, in place of %s", self._bundle_id, previous)
                    yield Switched(self._bundle_id, previous)
        elif not self._parts:
            self._models.calibrate(self._present, self._stop)
        if finished is not None:
            seconds = time.monotonic() - started
            _log.info(
                "the index run ends after %.1f s: %d indexed, %d unchanged, %d skipped, %d gone",
                seconds,
                finished.indexed,
                finished.unchanged,
                finished.failed + failed,
                finished.missing,
            )
            yield replace(finished, failed=finished.failed + failed, seconds=seconds)
