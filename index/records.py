"""What the catalogue is given and gives: plain records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileStamp:
    """By which an unchanged file is known: bytes, and time of change in nanoseconds."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class NewPhoto:
    """A photo to record; width and height in pixels, as seen after EXIF orientation."""

    path: str
    stamp: FileStamp
    width: int
    height: int
    format: str


@dataclass(frozen=True)
class Photo:
    """A recorded photo; `missing` when its file was gone at the last look."""

    id: int
    path: str
    width: int
    height: int
    format: str
    missing: bool


@dataclass(frozen=True)
class Problem:
    """A file that could not be indexed, and why; no stamp where even that could not be read."""

    path: str
    stamp: FileStamp | None
    reason: str


@dataclass(frozen=True)
class Counts:
    """How many there are.

    `photos` can be found, `missing` could be if their files were there, and `embeddings` counts
    both by the bundle that made them.
    """

    photos: int
    missing: int
    problems: int
    embeddings: dict[str, int]
