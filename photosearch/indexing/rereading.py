"""Reading anew what photos say of themselves, where that has changed or was never read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from index import Catalogue, Metadata, Waiting
from photosearch.elsewhere.addresses import is_address
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.events import Reread
from photosearch.indexing.gathering import check
from photosearch.indexing.metadata import VERSION, without_metadata
from photosearch.indexing.places import with_place
from photosearch.indexing.scan import Found
from photosearch.indexing.workers import Trouble

_BATCH = 256
_SECONDS = 1.0


def state_of(found: Found) -> str:
    """A note of what the metadata of a photo is read from, kept beside it.

    A sidecar that changed, came or went makes another note, and so does a photosearch that reads
    more.
    """
    parts = [str(VERSION)]
    for sidecar in found.sidecars:
        parts.append(f"{sidecar.stamp.size} {sidecar.stamp.mtime_ns} {sidecar.path}")
    return "\n".join(parts)


def sidecars_of(files: Mapping[str, Found]) -> dict[str, tuple[str, ...]]:
    """Paths of the files beside photos that describe them."""
    return {
        path: tuple(sidecar.path for sidecar in found.sidecars)
        for path, found in files.items()
        if found.sidecars
    }


def sizes_elsewhere(paths: Iterable[str], files: Mapping[str, Found | Waiting]) -> dict[str, int]:
    """The bytes of those at addresses, as they were listed."""
    return {path: files[path].stamp.size for path in paths if is_address(path)}


def outdated(catalogue: Catalogue, roots: Sequence[str], files: Mapping[str, Found]) -> list[str]:
    """Recorded photos among `files` whose metadata was read from something else, or never."""
    found = []
    for root in roots:
        for path, state in catalogue.metadata_states(root).items():
            if path in files and state != state_of(files[path]):
                found.append(path)
    return found


def reread(
    catalogue: Catalogue,
    preprocess: Preprocess,
    paths: Sequence[str],
    files: Mapping[str, Found],
    decoding: Decoding,
    stop: threading.Event | None = None,
) -> Iterator[Reread]:
    """Read and record the metadata of `paths`; what was read is kept whenever this is stopped.

    When `stop` is set, `StoppedError` is raised.
    """
    ready: dict[str, tuple[Metadata, str]] = {}

    def record() -> Reread:
        catalogue.record_metadata(ready)
        event = Reread(tuple(ready))
        ready.clear()
        return event

    committed = time.monotonic()
    with decoding.pool(preprocess, len(paths)) as pool:
        try:
            sidecars, sizes = sidecars_of(files), sizes_elsewhere(paths, files)
            for result in pool.decode(paths, task="metadata", sidecars=sidecars, sizes=sizes):
                if result is not None:
                    metadata = _read(result.outcome, result.path)
                    if metadata is not None:
                        state = state_of(files[result.path])
                        ready[result.path] = (with_place(metadata), state)
                if len(ready) >= _BATCH or (ready and time.monotonic() - committed >= _SECONDS):
                    committed = time.monotonic()
                    yield record()
                check(stop)
        finally:
            # Also when it is stopped; who stops it wants no event.
            left = record() if ready else None
    if left is not None:
        yield left


def _read(outcome: object, path: str) -> Metadata | None:
    """None where another run may read it, such as from a drive that was away."""
    if isinstance(outcome, Metadata):
        return outcome
    if isinstance(outcome, Trouble) and not outcome.passing:
        return without_metadata(path)
    return None
