"""Reading the text in all photos in which nobody has looked for any."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from index import Catalogue
from photosearch.indexing.limits import Limits
from photosearch.ocr.reader import SIDE, TextReader
from photosearch.serving.shrinking import ShrinkError, Shrinkers, Small

# Pictures decoded ahead of the reader, which takes far longer.
_AHEAD = 4
_COMMIT_SECONDS = 1.0


@dataclass(frozen=True)
class ReadingStarted:
    """So many photos are to be read; copies count once."""

    photos: int


@dataclass(frozen=True)
class TextRead:
    """The text of these photos was recorded, "" where there is none: (path, text)."""

    photos: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TextFailed:
    """A photo that cannot be read now; the next run tries again."""

    path: str
    reason: str


ReadingEvent = ReadingStarted | TextRead | TextFailed


def read_text(
    catalogue: Catalogue, opened: Callable[[], TextReader], limits: Limits | None = None
) -> Iterator[ReadingEvent]:
    """Read them in order of path. What was reported is recorded; the next run goes on there.

    Photos are decoded in a process of their own, which a damaged one may crash. The reader, which
    takes a while to start, is `opened` when there is something to read.
    """
    from PIL import Image

    unread = catalogue.readings.unread()
    yield ReadingStarted(len(unread))
    if not unread:
        return
    reader = opened()
    shrinkers = Shrinkers(1, limits)
    ahead: deque[tuple[int, str, Future[Small]]] = deque()
    left = iter(unread)
    ready: dict[int, tuple[str, str]] = {}
    committed = time.monotonic()
    try:
        while True:
            while len(ahead) < _AHEAD and (item := next(left, None)) is not None:
                ahead.append((*item, shrinkers.shrink(item[1], SIDE)))
            if not ahead:
                break
            content, path, future = ahead.popleft()
            try:
                small = future.result()
            except ShrinkError as error:
                yield TextFailed(path, str(error))
                continue
            with Image.open(io.BytesIO(small.data)) as image:
                ready[content] = path, reader.read(image)
            if time.monotonic() - committed >= _COMMIT_SECONDS:
                yield _record(catalogue, ready)
                ready, committed = {}, time.monotonic()
    finally:
        shrinkers.close()
        # Also after Ctrl-C, or when the caller has had enough.
        if ready:
            done = _record(catalogue, ready)
    if ready:
        yield done


def _record(catalogue: Catalogue, ready: dict[int, tuple[str, str]]) -> TextRead:
    catalogue.readings.put({content: text for content, (_, text) in ready.items()})
    return TextRead(tuple(ready.values()))
