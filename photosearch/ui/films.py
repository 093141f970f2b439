"""Films, played in the browser from any moment on: it asks for parts of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from fastapi import HTTPException, Response
from fastapi.responses import StreamingResponse

from index import PhotoFile
from photosearch.ui.files import ChangedError, open_original

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


def play(photo: PhotoFile, wanted: str | None) -> Response:
    """The bytes of a film that the header Range, `wanted`, asks for; all of it without one.

    Raises `HTTPException` when the photo is no film, has changed or is gone, or has no such bytes.
    """
    if photo.format != "VIDEO":
        raise HTTPException(404, "This photo is no film.")
    first, last = _range(wanted, photo.stamp.size)
    try:
        file = open_original(photo)
    except ChangedError as error:
        raise HTTPException(409, str(error)) from error
    except OSError as error:
        raise HTTPException(404, "The file is not there any more.") from error
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "content-length": str(last + 1 - first),
    }
    if wanted is not None:
        headers["content-range"] = f"bytes {first}-{last}/{photo.stamp.size}"
    return StreamingResponse(
        _pieces(file, first, last + 1 - first),
        206 if wanted is not None else 200,
        # Browsers that do not know QuickTime by name play it by this one: it is the same container.
        media_type="video/mp4",
        headers=headers,
    )


def _range(wanted: str | None, size: int) -> tuple[int, int]:
    """The first and the last byte; of several ranges, or none that can be, none is given."""
    if wanted is None:
        return 0, size - 1
    match = _RANGE.match(wanted)
    if match is not None and (match[1] or match[2]):
        if match[1]:
            first, last = int(match[1]), min(int(match[2] or size), size - 1)
        else:
            first, last = max(0, size - int(match[2])), size - 1
        if first <= last:
            return first, last
    raise HTTPException(416, "There are no such bytes.", {"content-range": f"bytes */{size}"})


def _pieces(file: BinaryIO, first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length > 0 and (piece := file.read(min(_PIECE, length))):
            length -= len(piece)
            yield piece
