"""Files handed out: an original to be saved, or many as a zip file."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from fastapi import HTTPException, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from index import PhotoFile
from photosearch.sharing.originals import ChangedError, unchanged
from photosearch.silent_drive import NoAnswerError, answer, close_later
from photosearch.ui.photos import shown

T = TypeVar("T")

_PIECE = 1 << 18
_NEVER = {"cache-control": "no-store"}


async def asked(path: str, do: Callable[..., T], *given: object) -> T:
    """What `do` gives for the file at `path`, for an answer.

    Raises `NoAnswerError`; `HTTPException` where the file cannot be had otherwise.
    """
    try:
        return await answer(path, do, *given)
    except ChangedError as error:
        raise HTTPException(409, str(error)) from error
    except NoAnswerError:
        raise
    except OSError as error:
        raise HTTPException(404, "The file is not there any more.") from error


async def opened(photo: PhotoFile) -> BinaryIO:
    """The file of a photo, if it still is the one that was indexed; raises as `asked`."""
    return await asked(photo.path, unchanged, photo)


class FileAnswer(StreamingResponse):
    """`size` bytes of the open file at `path` from `first` on.

    The file is closed whatever becomes of the answer: browsers break off what they need no more.
    """

    def __init__(self, path: str, file: BinaryIO, first: int, size: int, **options: Any) -> None:
        super().__init__(_pieces(path, file, first, size), **options)
        self.headers["content-length"] = str(size)
        self._path, self._file = path, file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            close_later(self._path, self._file)


async def _pieces(path: str, file: BinaryIO, first: int, left: int) -> AsyncIterator[bytes]:
    await answer(path, file.seek, first)
    while left > 0 and (piece := await answer(path, file.read, min(_PIECE, left))):
        left -= len(piece)
        yield piece


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
    kind = mimetypes.guess_type(photo.path)[0] or "application/octet-stream"
    return FileAnswer(
        photo.path,
        file,
        0,
        photo.stamp.size,
        media_type=kind if kind.startswith(("image/", "video/")) else "application/octet-stream",
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
