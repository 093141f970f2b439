"""What is made of each photo that is shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from index import Metadata, PhotoFile
from photosearch.errors import UsageError
from photosearch.library import Library

# Of the longest side, in pixels; a JPEG can have no more than the latter.
SMALLEST, LARGEST = 64, 65_000
# Photos that are shared at once, at most.
MANY = 100_000
# Bytes that a pixel of a photo takes as a JPEG of the usual quality, about.
_PIXEL = 0.3


@dataclass(frozen=True)
class Shared:
    """A photo to share, and what the library knows of it."""

    photo: PhotoFile
    metadata: Metadata

    @property
    def is_video(self) -> bool:
        return self.photo.format == "VIDEO"

    @property
    def is_jpeg(self) -> bool:
        return self.photo.format in ("JPEG", "MPO")


def shared(library: Library, ids: Sequence[int]) -> list[Shared]:
    """The photos of `ids`, in that order; those that are not there are left out.

    Raises `UsageError` for more than can be shared at once; `LibraryError`.
    """
    if len(ids) > MANY:
        raise UsageError(f"at most {MANY:,} photos can be shared at once; choose fewer")
    known = library.photos.metadata(ids)
    return [Shared(one, known.get(one.id) or Metadata()) for one in library.photos.files(ids)]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Originals, or JPEGs of any of them.

    `side` is the longest side of a JPEG in pixels, None for as large as the photo is; nothing is
    made larger. Without `position` a copy does not say where it was taken: an original that is a
    JPEG keeps its pixels as they are, one of another format becomes a JPEG, and a video is put
    into a new container as it is. With `details` a JPEG says when, with what and how it was taken,
    its caption, and its copyright.

    Raises `UsageError` for a side or a quality that there is not.
    """

    jpeg: bool = False
    side: int | None = None
    quality: int = 85
    position: bool = False
    details: bool = True

    def __post_init__(self) -> None:
        if self.side is not None and not SMALLEST <= self.side <= LARGEST:
            raise UsageError(
                f"a longest side of {self.side} pixels; give one from {SMALLEST} to {LARGEST}"
            )
        if not 1 <= self.quality <= 100:
            raise UsageError(f"a quality of {self.quality}; give one from 1 to 100")

    def becomes_jpeg(self, one: Shared) -> bool:
        """Whether the pixels of a photo are encoded anew."""
        return not one.is_video and (self.jpeg or not (self.position or one.is_jpeg))

    def side_of(self, photo: PhotoFile) -> int:
        """The longest side of what a photo becomes, in pixels."""
        longest = max(photo.width, photo.height, 1)
        return min(longest, self.side) if self.jpeg and self.side else longest


@dataclass(frozen=True)
class Estimate:
    """What sharing would give: `bytes` are about how many; `converted` photos of a format that
    cannot be without its position otherwise become JPEGs, `missing` are not there just now.
    """

    photos: int
    videos: int
    missing: int
    converted: int
    bytes: int


def estimate(photos: Sequence[Shared], wanted: Wanted) -> Estimate:
    """Reckoned from what is known; no file is read."""
    there = [one for one in photos if not one.photo.missing]
    total = 0.0
    for one in there:
        photo = one.photo
        if wanted.becomes_jpeg(one):
            scale = wanted.side_of(photo) / max(photo.width, photo.height, 1)
            total += photo.width * photo.height * scale * scale * _PIXEL * wanted.quality / 85
        else:
            total += photo.stamp.size
    return Estimate(
        photos=len(there),
        videos=sum(one.is_video for one in there),
        missing=len(photos) - len(there),
        converted=0 if wanted.jpeg else sum(map(wanted.becomes_jpeg, there)),
        bytes=round(total),
    )


@dataclass
class Tally:
    """How far sharing is; written by one thread and read by any.

    `done` of `total` photos are made or left out. `left_out` are paths, with the reason.
    """

    total: int
    done: int = 0
    files: int = 0
    bytes: int = 0
    converted: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def leave_out(self, path: str, reason: str) -> None:
        self.left_out.append((path, reason))
        self.done += 1
