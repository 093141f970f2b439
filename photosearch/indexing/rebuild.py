"""Encoding all photos by another model, beside the vectors of the one that answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

from index import Catalogue, Problem, Waiting
from photosearch.encoders import Encoder
from photosearch.indexing.decoding import Decoding, Pool
from photosearch.indexing.encoding import encode
from photosearch.indexing.events import Event, Failed, Rebuilding, Reencoded
from photosearch.indexing.gathering import Ready, gather
from photosearch.indexing.pace import Pace
from photosearch.indexing.rereading import sizes_elsewhere
from photosearch.indexing.workers import Trouble
from photosearch.silent_drive import is_there

# Photos looked up at a time; all at once would take much memory in a large library.
_CHUNK = 2048


class Rebuild:
    """Gives each photo that is there a vector of `encoder`; what is done is kept when it stops.

    When `stop` is set, what is decoded is recorded and `StoppedError` raised.
    Afterwards `unread` counts the photos that could not be reached, and are there all the same.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        *,
        decoding: Decoding,
        stop: threading.Event | None = None,
    ) -> None:
        self._catalogue, self._encoder, self._stop = catalogue, encoder, stop
        self._decoding = decoding
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
        with self._decoding.pool(self._encoder.preprocess, total, self._encoder) as pool:
            after = 0
            while chunk := self._catalogue.waiting(bundle_id, after=after, limit=_CHUNK):
                after = chunk[-1].content_id
                yield from self._encode(pool, {each.path: each for each in chunk})

    def _encode(self, pool: Pool, waiting: dict[str, Waiting]) -> Iterator[Event]:
        return gather(
            pool.decode(list(waiting), sizes=sizes_elsewhere(waiting, waiting)),
            self._pace,
            record=partial(self._record, waiting),
            fail=partial(self._trouble, waiting),
            stop=self._stop,
        )

    def _record(self, waiting: dict[str, Waiting], ready: Ready) -> Reencoded:
        # Another digest: the file was changed just now, and the next run sees it.
        same = [
            (waiting[path], found)
            for path, found in ready
            if waiting[path].digest in (None, found.digest)
        ]
        if same:
            vectors, frames = encode(self._encoder, [found for _, found in same])
            contents = [photo.content_id for photo, _ in same]
            videos = {contents[number]: seen for number, seen in frames.items()}
            self._catalogue.embed(self._encoder.bundle_id, contents, vectors, videos)
        return Reencoded(tuple(photo.path for photo, _ in same))

    def _trouble(self, waiting: dict[str, Waiting], path: str, trouble: Trouble) -> Failed | None:
        if not is_there(path):
            # Gone since the scan, or unplugged: it is encoded when it is back.
            self._catalogue.mark_missing([path])
            return None
        self.unread += trouble.passing
        self.failed += 1
        stamp = None if trouble.passing else waiting[path].stamp
        self._catalogue.record_problems([Problem(path, stamp, trouble.reason, trouble.printed)])
        return Failed(path, trouble.reason)
