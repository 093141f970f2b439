"""From the bytes of a file to an upright picture, by the decoder that its first bytes ask for.

    picture = open_picture(file, ".dng", side=512, max_pixels=MAX_PIXELS)
    picture.image, picture.width, picture.height, picture.format

What a suffix says matters only where the bytes do not tell: many RAW formats begin as a TIFF does.
"""

from __future__ import annotations

from typing import BinaryIO

from photosearch.indexing.formats import jxl, pillow, raw, video
from photosearch.indexing.formats.picture import MAX_PIXELS, DecodeError, Picture, refuse_above

__all__ = [
    "HEAD",
    "MAX_PIXELS",
    "DecodeError",
    "Picture",
    "is_film",
    "open_picture",
    "refuse_above",
]

# The first bytes, which tell the kind of a file.
HEAD = 32
# Films are ISO media files by any of dozens of brands, or none; pictures have one of these.
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx ")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
# No RAW format begins so.
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


def open_picture(
    file: BinaryIO, suffix: str, side: int, max_pixels: int, frames: int = video.CANDIDATES
) -> Picture:
    """Decode `file`, of which `suffix` (lower case, with its dot) is the name's end.

    `side`: the short side that is wanted; a picture may come smaller than stored, not below this.
    Of a film up to so many `frames` are looked at.
    Raises `DecodeError` with the reason where it knows it, otherwise what the decoder raises.
    """
    head = file.read(HEAD)
    file.seek(0)
    if head.startswith(jxl.SIGNATURES):
        return jxl.read(file.read(), max_pixels)
    if is_film(head, suffix):
        return video.read(file, side, max_pixels, frames)
    if suffix in raw.SUFFIXES and not head.startswith(_PICTURES):
        return raw.read(file, side, max_pixels)
    return pillow.read(file, side, max_pixels)


def is_film(head: bytes, suffix: str) -> bool:
    """Whether a file that begins with `head`, and has this suffix, is a video to sample."""
    return suffix in video.SUFFIXES and head[4:8] in _BOXES and head[8:12] not in _STILLS
