"""From the bytes of a file to an upright picture, by the decoder that its first bytes ask for.

    picture = open_picture(file, ".dng", side=512, max_pixels=MAX_PIXELS)
    picture.image, picture.width, picture.height, picture.format

What a suffix says matters only where the bytes do not tell: many RAW formats begin as a TIFF does.
"""

from __future__ import annotations

from typing import BinaryIO

from photosearch.indexing.formats import jxl, pillow, raw, video
from photosearch.indexing.formats.picture import MAX_PIXELS, DecodeError, Picture, refuse_above
from photosearch.indexing.kinds import HEAD, RAW, is_film

__all__ = [
    "MAX_PIXELS",
    "DecodeError",
    "Picture",
    "open_picture",
    "refuse_above",
]

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
    if suffix in RAW and not head.startswith(_PICTURES):
        return raw.read(file, side, max_pixels)
    return pillow.read(file, side, max_pixels)
