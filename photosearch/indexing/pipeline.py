"""An index run: scan -> decode -> encode -> record, the stages overlapping."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import numpy as np

from index import Catalogue, FileStamp, NewPhoto, Problem
from photosearch.encoders import Encoder
from photosearch.indexing.decode import Decoded
from photosearch.indexing.events import Event, Failed, Finished, Indexed, Started
from photosearch.indexing.scan import Found, Unreadable, scan
from photosearch.indexing.workers import DecodeWorkers

BATCH = 16
# What a kill may cost: photos encoded or waiting for their batch for no longer than this.
COMMIT_SECONDS = 1.0


class IndexRun:
    """One run over `roots`, which `resolve_roots` has checked."""

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        roots: Sequence[str],
        *,
        workers: int | None = None,
    ) -> None:
        self._catalogue, self._encoder, self._roots = catalogue, encoder, roots
        self._worker_count = workers or os.cpu_count() or 1
        self._stamps: dict[str, FileStamp] = {}
        self._indexed = self._failed = 0

    def events(self) -> Iterator[Event]:
        """Do the run. Closing the iterator early keeps, and records, all that is decoded."""
        started = time.monotonic()
        for root in self._roots:
            self._catalogue.add_folder(root)
        unreadable: list[Unreadable] = []
        unchanged = 0
        missing = 0
        changed: list[str] = []
        for root in self._roots:
            files, problems = _split(scan(root))
            unreadable += problems
            known = self._catalogue.stamps(root, self._encoder.bundle_id)
            self._catalogue.mark_present(
                path for path in self._catalogue.paths(root, missing=True) if path in files
            )
            missing += self._hide_missing(root, files, known, problems)
            for path, stamp in files.items():
                if known.get(path) == stamp:
                    unchanged += 1
                else:
                    changed.append(path)
                    self._stamps[path] = stamp
        yield Started(unchanged + len(changed) + len(unreadable), unchanged)
        for problem in unreadable:
            yield self._fail(problem.path, problem.reason, None)
        if changed:
            yield from self._index(changed)
        yield Finished(self._indexed, unchanged, self._failed, missing, time.monotonic() - started)

    def _hide_missing(
        self,
        root: str,
        files: dict[str, FileStamp],
        known: dict[str, FileStamp],
        problems: Sequence[Unreadable],
    ) -> int:
        """Mark photos that are gone, and settle problems that are no more.

        What is below a folder that cannot be read is left alone.
        """
        unknown = tuple(problem.path for problem in problems)

        def gone(path: str) -> bool:
            return path not in files and not any(
                path == place or path.startswith(place + os.sep) for place in unknown
            )

        lost = [path for path in self._catalogue.paths(root, missing=False) if gone(path)]
        self._catalogue.mark_missing(lost)
        below = root.rstrip(os.sep) + os.sep
        problems_here = (
            item for item in self._catalogue.problems() if f"{item.path}{os.sep}".startswith(below)
        )
        self._catalogue.forget_problems(
            item.path
            for item in problems_here
            # Gone, or a photo that is indexed and can be looked at again.
            if gone(item.path)
            or (
                item.stamp is None
                and item.path in files
                and known.get(item.path) == files[item.path]
            )
        )
        return len(lost)

    def _index(self, paths: Sequence[str]) -> Iterator[Event]:
        ready: list[tuple[str, Decoded]] = []
        committed = time.monotonic()
        count = min(self._worker_count, len(paths))
        with DecodeWorkers(self._encoder.preprocess, count) as workers:
            try:
                for result in workers.decode(paths):
                    if result is None:
                        pass
                    elif isinstance(result.outcome, Decoded):
                        ready.append((result.path, result.outcome))
                    else:
                        trouble = result.outcome
                        # Without a stamp the next run tries again, and a photo that was indexed
                        # before stays findable.
                        stamp = None if trouble.passing else self._stamps[result.path]
                        yield self._fail(result.path, trouble.reason, stamp)
                    late = time.monotonic() - committed >= COMMIT_SECONDS
                    if len(ready) >= BATCH or (ready and late):
                        event = self._record(ready)
                        ready = []
                        committed = time.monotonic()
                        yield event
            except GeneratorExit:
                self._record(ready)
                raise
            except KeyboardInterrupt:
                yield self._record(ready)
                raise
            if ready:
                yield self._record(ready)

    def _record(self, ready: Sequence[tuple[str, Decoded]]) -> Indexed:
        if ready:
            vectors = self._encoder.encode_pixels(np.stack([photo.pixels for _, photo in ready]))
            photos = [
                NewPhoto(path, self._stamps[path], photo.width, photo.height, photo.format)
                for path, photo in ready
            ]
            self._catalogue.record(self._encoder.bundle_id, photos, vectors)
            self._indexed += len(photos)
        return Indexed(tuple(path for path, _ in ready))

    def _fail(self, path: str, reason: str, stamp: FileStamp | None) -> Failed:
        self._catalogue.record_problems([Problem(path, stamp, reason)])
        self._failed += 1
        return Failed(path, reason)


def _split(
    found: Iterator[Found | Unreadable],
) -> tuple[dict[str, FileStamp], list[Unreadable]]:
    files: dict[str, FileStamp] = {}
    problems: list[Unreadable] = []
    for item in found:
        if isinstance(item, Found):
            files[item.path] = item.stamp
        else:
            problems.append(item)
    return files, problems
