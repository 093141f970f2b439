"""Looking once more at photos that were indexed before it was noted how they look."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from index import Catalogue
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.events import Reread
from photosearch.indexing.gathering import check
from photosearch.indexing.workers import Trouble
from photosearch.looks import Look

_BATCH = 256
_SECONDS = 1.0


def glance_again(
    catalogue: Catalogue,
    preprocess: Preprocess,
    paths: Sequence[str],
    decoding: Decoding,
    sizes: Mapping[str, int],
    stop: threading.Event | None = None,
) -> Iterator[Reread]:
    """Note how the photos at `paths` look; what is noted is kept whenever this is stopped.

    `sizes` are the bytes of those at addresses. When `stop` is set, `StoppedError` is raised.
    """
    ready: dict[str, bytes] = {}

    def record() -> Reread:
        catalogue.record_looks(ready)
        event = Reread(tuple(ready))
        ready.clear()
        return event

    committed = time.monotonic()
    with decoding.pool(preprocess, len(paths)) as pool:
        try:
            for result in pool.decode(paths, task="glance", sizes=sizes):
                if result is not None and isinstance(result.outcome, Look):
                    ready[result.path] = result.outcome.packed()
                elif result is not None and not _passing(result.outcome):
                    ready[result.path] = b""
                if len(ready) >= _BATCH or (ready and time.monotonic() - committed >= _SECONDS):
                    committed = time.monotonic()
                    yield record()
                check(stop)
        finally:
            left = record() if ready else None
    if left is not None:
        yield left


def _passing(outcome: object) -> bool:
    """Whether another run may see more."""
    return isinstance(outcome, Trouble) and outcome.passing
