"""The photos of a library as shards are made of them: read where they lie, and kept small.

A student sees 256 pixels, so a shard takes some 20 KB a photo, however large the photo is.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image, ImageOps

from photosearch.encoders.preprocess import to_rgb
from trainer.data.photo_tars import PhotoSample
from trainer.personal.library import LibraryPhoto

# The short side in pixels, and the quality of the JPEG.
SIDE, _QUALITY = 288, 92


@dataclass(frozen=True)
class LibraryShard:
    """A `Source` of some photos; one that cannot be read any more is left out."""

    name: str
    photos: tuple[LibraryPhoto, ...]
    source: str = "a library of photosearch"

    def count(self) -> int:
        return len(self.photos)

    def digest(self) -> str:
        """sha256, in hex, of the hashes of the photos' bytes: they need not be read for it."""
        lines = "\n".join(photo.digest for photo in self.photos)
        return hashlib.sha256(f"{SIDE} {_QUALITY}\n{lines}".encode()).hexdigest()

    def samples(self) -> Iterator[PhotoSample]:
        return shrunk_photos(self.photos)


def shards_of(photos: Sequence[LibraryPhoto], each: int) -> list[LibraryShard]:
    """Shards of so many photos, in their order."""
    return [
        LibraryShard(f"library-{number:05d}", tuple(photos[at : at + each]))
        for number, at in enumerate(range(0, len(photos), each))
    ]


def shrunk_photos(photos: Sequence[LibraryPhoto]) -> Iterator[PhotoSample]:
    """Small copies of photos that Pillow can read, upright, in memory."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    for photo in photos:
        # Its file may be gone by now, or of a kind that only the application reads.
        with suppress(OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
            data = _shrunk(photo.path)
            yield PhotoSample(photo.digest[:32], data, {}, photo.path, "jpg")


def _shrunk(path: str) -> bytes:
    with Image.open(path) as opened:
        opened.draft("RGB", (2 * SIDE, 2 * SIDE))
        picture = to_rgb(ImageOps.exif_transpose(opened))
    factor = SIDE / min(picture.size)
    if factor < 1:
        width, height = (max(1, round(side * factor)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
