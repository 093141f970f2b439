"""From the bytes of a file to an upright picture, by the decoder that its first bytes ask for.

    picture = open_picture(file, ".dng", side=512, max_pixels=MAX_PIXELS)
    picture.image, picture.width, picture.height, picture.format

What a suffix says matters only where the bytes do not tell: many RAW formats begin as a TIFF does.
"""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO

from photosearch.indexing.formats import jxl, jxr, pillow, raw, video
from photosearch.indexing.formats.picture import MAX_PIXELS, DecodeError, Picture, refuse_above
from photosearch.kinds import HEAD, film_format, is_raw

__all__ = [
    "MAX_PIXELS",
    "DecodeError",
    "Picture",
    "open_picture",
    "refuse_above",
]

_TIFF = (b"II*\0", b"MM\0*")


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
        return jxl.read(file.read(), side, max_pixels)
    if head.startswith(jxr.SIGNATURE):
        return jxr.read(file.read(), max_pixels)
    container = film_format(head, suffix)
    if container is not None:
        return video.read(file, container, side, max_pixels, frames)
    if is_raw(head, suffix):
        try:
            return raw.read(file, side, max_pixels)
        except DecodeError as error:
            if error.passing or not head.startswith(_TIFF):
                raise
            # Scanners write TIFFs that they call RAW. What is small is the thumbnail of a RAW.
            file.seek(0)
            with suppress(Exception):
                picture = pillow.read(file, suffix, side, max_pixels)
                if min(picture.width, picture.height) >= side:
                    return picture
            raise
    return pillow.read(file, suffix, side, max_pixels)
