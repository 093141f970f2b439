"""Answers that are files, or parts of them, read while they are sent."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from index import PhotoFile
from photosearch.sharing.originals import ChangedError, unchanged
from photosearch.silent_drive import NoAnswerError, answer, close_later

T = TypeVar("T")

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


def media_type(path: str) -> str:
    """That of a photo or video, by its name; of anything else that of bytes."""
    kind = mimetypes.guess_type(path)[0] or ""
    return kind if kind.startswith(("image/", "video/")) else "application/octet-stream"


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


@dataclass(frozen=True)
class Part:
    """`size` bytes of the open file at `path` from `first` on."""

    path: str
    file: BinaryIO
    first: int
    size: int


def ranged(part: Part, wanted: str | None, **options: Any) -> FileAnswer:
    """The bytes of `part` that the header Range, `wanted`, asks for; all of it without one.

    The file is closed in any case. `options` are those of the answer. Raises `HTTPException` when
    there are no such bytes.
    """
    try:
        first, last = _range(wanted, part.size)
    except HTTPException:
        close_later(part.path, part.file)
        raise
    headers = {"accept-ranges": "bytes"} | options.pop("headers", {})
    if wanted is not None:
        headers["content-range"] = f"bytes {first}-{last}/{part.size}"
    return FileAnswer(
        part.path,
        part.file,
        part.first + first,
        last + 1 - first,
        status_code=206 if wanted is not None else 200,
        headers=headers,
        **options,
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
