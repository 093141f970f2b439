"""Reading the text in all photos in which nobody has looked for any."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from index import Catalogue
from photosearch.indexing.limits import Limits
from photosearch.ocr.reader import SIDE, TextReader
from photosearch.serving.passes import pass_over
from photosearch.serving.shrinking import Still


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
    catalogue: Catalogue,
    opened: Callable[[], TextReader],
    limits: Limits | None = None,
    without: Collection[str] = (),
) -> Iterator[ReadingEvent]:
    """Read them in order of path. What was reported is recorded; the next run goes on there.

    The reader, which takes a while to start, is `opened` when there is something to read. Paths in
    `without` are passed over.
    """
    unread = [one for one in catalogue.readings.unread() if one[1] not in without]
    yield ReadingStarted(len(unread))
    if not unread:
        return

    def record(read: Mapping[int, tuple[str, str]]) -> TextRead:
        catalogue.readings.put({content: text for content, (_, text) in read.items()})
        return TextRead(tuple(read.values()))

    reader = opened()
    yield from pass_over(
        unread,
        Still(SIDE),
        lambda seen: reader.read(seen[0][1]),
        record=record,
        failed=TextFailed,
        limits=limits,
    )
