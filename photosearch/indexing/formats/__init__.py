"""From the bytes of a file to an upright picture, by the decoder that its first bytes ask for.

    picture = open_picture(file, ".dng", side=512, max_pixels=MAX_PIXELS)
    picture.image, picture.width, picture.height, picture.format

What a suffix says matters only where the bytes do not tell: many RAW formats begin as a TIFF does.
"""

from __future__ import annotations

from importlib import import_module
from typing import BinaryIO

from photosearch.formats import plugged, reader_of
from photosearch.indexing.formats import plugins, video
from photosearch.indexing.formats.picture import (
    MAX_PIXELS,
    Asked,
    DecodeError,
    Picture,
    refuse_above,
)
from photosearch.kinds import HEAD

__all__ = [
    "MAX_PIXELS",
    "DecodeError",
    "Picture",
    "open_picture",
    "refuse_above",
]


def open_picture(
    file: BinaryIO, suffix: str, side: int, max_pixels: int, frames: int = video.CANDIDATES
) -> Picture:
    """Decode `file`, of which `suffix` (lower case, with its dot) is the name's end.

    See `Asked`. Raises `DecodeError` with the reason where it knows it, otherwise what the decoder
    raises.
    """
    head = file.read(HEAD)
    file.seek(0)
    asked = Asked(file, head, suffix, side, max_pixels, frames)
    added = plugged(suffix)
    if added is not None and plugins.begins(added, asked):
        return plugins.picture(added, asked)
    reader = import_module(reader_of(head, suffix))
    picture: Picture = reader.picture(asked)
    return picture
