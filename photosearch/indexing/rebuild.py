"""Encoding all photos by another model, beside the vectors of the one that answers."""

from __future__ import annotations

import os
from collections.abc import Iterator

from index import Catalogue, Problem, Waiting
from photosearch.encoders import Encoder
from photosearch.indexing.decode import Decoded
from photosearch.indexing.encoding import count_squares, encode
from photosearch.indexing.events import Event, Failed, Rebuilding, Reencoded
from photosearch.indexing.pace import Pace
from photosearch.indexing.workers import DecodeWorkers, Trouble

# Photos looked up at a time; all at once would take much memory in a large library.
_CHUNK = 2048


class Rebuild:
    """Gives each photo that is there a vector of `encoder`; what is done is kept when it stops.

    Afterwards `unread` counts the photos that could not be reached, and are there all the same.
    """

    def __init__(
        self, catalogue: Catalogue, encoder: Encoder, *, workers: int | None = None
    ) -> None:
        self._catalogue, self._encoder = catalogue, encoder
        self._worker_count = workers or os.cpu_count() or 1
        self._pace = Pace()
        self.unread = 0
        self.failed = 0

    def events(self) -> Iterator[Event]:
        """Do it. Closing the iterator early keeps, and records, all that is decoded."""
        bundle_id = self._encoder.bundle_id
        total = self._catalogue.waiting_count(bundle_id)
        yield Rebuilding(bundle_id, total)
        if not total:
            return
        with DecodeWorkers(self._encoder.preprocess, min(self._worker_count, total)) as pool:
            after = 0
            while chunk := self._catalogue.waiting(bundle_id, after=after, limit=_CHUNK):
                after = chunk[-1].content_id
                yield from self._encode(pool, {each.path: each for each in chunk})

    def _encode(self, pool: DecodeWorkers, waiting: dict[str, Waiting]) -> Iterator[Event]:
        ready: list[tuple[Waiting, Decoded]] = []
        self._pace.start()
        try:
            for result in pool.decode(list(waiting)):
                if result is not None:
                    photo = waiting[result.path]
                    if isinstance(result.outcome, Decoded):
                        # Another digest: the file was changed just now, and the next run sees it.
                        if photo.digest in (None, result.outcome.digest):
                            ready.append((photo, result.outcome))
                    elif isinstance(result.outcome, Trouble):
                        yield from self._trouble(photo, result.outcome)
                squares = count_squares([found for _, found in ready])
                if self._pace.is_due(squares):
                    with self._pace.recording(squares):
                        event = self._record(ready)
                    ready = []
                    yield event
        except GeneratorExit:
            self._record(ready)
            raise
        except KeyboardInterrupt:
            yield self._record(ready)
            raise
        if ready:
            yield self._record(ready)

    def _record(self, ready: list[tuple[Waiting, Decoded]]) -> Reencoded:
        if ready:
            vectors, frames = encode(self._encoder, [found for _, found in ready])
            contents = [photo.content_id for photo, _ in ready]
            films = {contents[number]: seen for number, seen in frames.items()}
            self._catalogue.embed(self._encoder.bundle_id, contents, vectors, films)
        return Reencoded(tuple(photo.path for photo, _ in ready))

    def _trouble(self, photo: Waiting, trouble: Trouble) -> Iterator[Failed]:
        if not os.path.lexists(photo.path):
            # Gone since the scan, or unplugged: it is encoded when it is back.
            self._catalogue.mark_missing([photo.path])
            return
        self.unread += trouble.passing
        self.failed += 1
        stamp = None if trouble.passing else photo.stamp
        self._catalogue.record_problems([Problem(photo.path, stamp, trouble.reason)])
        yield Failed(photo.path, trouble.reason)
