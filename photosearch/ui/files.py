"""Files handed out: an original to be saved, or many as a zip file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from index import PhotoFile
from photosearch.delivery.files import FileAnswer, asked, media_type, opened
from photosearch.silent_drive import close_later
from photosearch.ui.photos import shown

_NEVER = {"cache-control": "no-store"}


async def check(photo: PhotoFile) -> None:
    """Read a byte of the file. Raises as `opened` does where it cannot be had."""
    file = await opened(photo)
    try:
        await asked(photo.path, file.read, 1)
    finally:
        close_later(photo.path, file)


async def download(photo: PhotoFile) -> Response:
    """One file, to be saved under its name."""
    file = await opened(photo)
    name = shown(os.path.basename(photo.path))
    return FileAnswer(
        photo.path,
        file,
        0,
        photo.stamp.size,
        media_type=media_type(photo.path),
        headers=_NEVER | {"content-disposition": _attached(name)},
    )


def download_zip(name: str, pieces: Iterator[bytes]) -> Response:
    """Many files as one, made while it is sent."""
    return StreamingResponse(
        pieces,
        media_type="application/zip",
        headers=_NEVER | {"content-disposition": _attached(f"{name}.zip")},
    )


def _attached(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
