"""Clusters for a machine that shares an archive and never indexes there, beside what it serves.

A folder has them from its index runs. The file of vectors is each machine's own: to make it nothing
has to be allowed in the archive.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from index import Catalogue, CatalogueError, FaissIndex, WriterLock
from index.shared.address import address_of
from photosearch.encoders.typical import TYPICAL
from photosearch.errors import PhotosearchError
from photosearch.model_choice import ModelChoice
from photosearch.nice import on_battery

_log = logging.getLogger(__name__)
# Seconds until it is looked for the first time, and between two looks; after a file was made that
# took longer, so many times as long.
_FIRST, _PAUSE, _TIMES = 5.0, 600.0, 20


class ClusterMaker:
    """Has the file of vectors made anew where an index run would, on a thread of its own.

    There is none for a library in a folder.
    """

    def __init__(self, folder: Path, model: str | os.PathLike[str] | None) -> None:
        self._folder, self._model = folder, model
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._process: Any = None
        if address_of(folder) is not None:
            threading.Thread(target=self._look, name="photosearch-clusters", daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _look(self) -> None:
        pause = _FIRST
        while not self._closed.wait(pause):
            begun = time.monotonic()
            pause = _PAUSE
            # What is wrong with the library or the model is told to whoever searches.
            with suppress(PhotosearchError, CatalogueError):
                if self._is_due():
                    self._make()
                    pause = max(_PAUSE, _TIMES * (time.monotonic() - begun))

    def _is_due(self) -> bool:
        # An index run on this machine does it at its end.
        if WriterLock(self._folder).holder() is not None:
            return False
        with Catalogue.open(self._folder, readonly=True) as catalogue:
            choice = ModelChoice(catalogue, self._model)
            if choice.settings.nice and on_battery():
                return False
            bundle_id = choice.searching_encoder().bundle_id
            large = FaissIndex.is_large(catalogue, bundle_id)
            return large and FaissIndex.is_due(catalogue, bundle_id)

    def _make(self) -> None:
        # Fork would copy the server's threads' locks. It ends with the server.
        process = multiprocessing.get_context("spawn").Process(
            target=make_clusters, args=(self._folder, self._model), daemon=True
        )
        with self._lock:
            if self._closed.is_set():
                return
            process.start()
            self._process = process
        process.join()
        with self._lock:
            self._process = None
        if process.exitcode and not self._closed.is_set():
            _log.warning("the vectors could not be put into clusters")


def make_clusters(folder: Path, model: str | os.PathLike[str] | None) -> None:
    """Make the file of vectors as an index run does. Raises `CatalogueError`; `BundleError`."""
    # Ctrl-C reaches the whole group; the server decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(10)  # whoever searches meanwhile must not wait
    with Catalogue.open(folder, readonly=True) as catalogue:
        encoder = ModelChoice(catalogue, model).searching_encoder()
        FaissIndex.refresh(
            catalogue, encoder.bundle_id, lambda: encoder.encode_texts(TYPICAL), whole=False
        )
