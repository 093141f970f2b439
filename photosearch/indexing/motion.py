"""The video inside a motion photo: phones append it to the JPEG, or put it into a box of the HEIC.

Google and Samsung say in several ways where it begins, and editors break these; the video itself is
found by how every MP4 begins, and goes as far as its boxes do.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress

from photosearch.elsewhere.addresses import is_address
from photosearch.kinds import HEIF, JPEG
from photosearch.regular_file import open_regular

_BEGINS = b"ftyp"
# Such a box is short, and the brands in it are of videos.
_LONGEST = 256
_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"qt  ", b"MSNV", b"M4V")
_BOXES = 10_000


def video_inside(path: str) -> tuple[int, int] | None:
    """First byte and number of bytes of the video in the picture at `path`; None without one.

    Nothing is decoded. A file that cannot be read has none.
    """
    # One at an address would be fetched whole, for whoever asks.
    if is_address(path) or os.path.splitext(path)[1].lower() not in JPEG | HEIF:
        return None
    with (
        suppress(OSError, ValueError),
        open_regular(path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        # That of a HEIC itself is at its very beginning.
        place = content.find(_BEGINS, 8)
        while place >= 0:
            end = _video(content, place - 4)
            if end is not None:
                return place - 4, end - place + 4
            place = content.find(_BEGINS, place + 4)
    return None


def _video(content: mmap.mmap, start: int) -> int | None:
    """Where the video ends that begins at `start`; None where none does."""
    (size,) = struct.unpack_from(">I", content, start)
    if not 16 <= size <= _LONGEST or not content[start + 8 : start + 12].startswith(_BRANDS):
        return None
    place, kinds = start, set()
    for _ in range(_BOXES):
        if place + 8 > len(content):
            break
        size, kind = struct.unpack_from(">I4s", content, place)
        if size == 1 and place + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, place + 8)
        if size < 8 or place + size > len(content) or not kind.isalnum():
            break
        kinds.add(kind)
        place += size
    return place if {b"moov", b"mdat"} <= kinds else None
