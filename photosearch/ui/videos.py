"""Videos, played in the browser from any moment on: it asks for parts of the file.

Those that belong to a photo are played in the same way: phones put the video of a motion photo into
its file, or beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import HTTPException, Response

from index import PhotoFile
from photosearch.about import About
from photosearch.indexing.motion import video_inside
from photosearch.kinds import HEAD, LIVE, is_video
from photosearch.regular_file import open_regular
from photosearch.sharing.originals import unchanged
from photosearch.silent_drive import close_later
from photosearch.ui.files import FileAnswer, asked, opened

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


@dataclass(frozen=True)
class _Part:
    """`size` bytes of the open file at `path` from `first` on, which are a video."""

    path: str
    file: BinaryIO
    first: int
    size: int


async def play(photo: PhotoFile, wanted: str | None) -> Response:
    """The bytes of a video that the header Range, `wanted`, asks for; all of it without one.

    Raises `HTTPException` when the photo is no video, cannot be had, or has no such bytes.
    """
    if photo.format != "VIDEO":
        raise HTTPException(404, "This photo is no video.")
    return _answer(_Part(photo.path, await opened(photo), 0, photo.stamp.size), wanted)


async def play_motion(photo: About, wanted: str | None) -> Response:
    """The same of the video that belongs to a motion photo."""
    part = await asked(photo.file.path, _motion, photo)
    if part is None:
        raise HTTPException(404, "This photo has no video.")
    return _answer(part, wanted)


async def has_motion(photo: About) -> bool:
    """Whether a video belongs to a photo whose file is there, and is the one that was indexed."""
    try:
        part = await asked(photo.file.path, _motion, photo)
    except (HTTPException, OSError):
        return False
    if part is not None:
        close_later(part.path, part.file)
    return part is not None


def _motion(photo: About) -> _Part | None:
    """Raises as `unchanged`, for the photo itself."""
    still = unchanged(photo.file)
    for path in photo.companions:
        beside = _video_at(path)
        if beside is not None:
            still.close()
            return beside
    inside = video_inside(photo.file.path)
    if inside is None:
        still.close()
        return None
    return _Part(photo.file.path, still, *inside)


def _video_at(path: str) -> _Part | None:
    """The whole file at `path`, if it is a video, whatever took its place since."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in LIVE:
        return None
    try:
        file = open_regular(path)
    except OSError:
        return None
    try:
        if is_video(file.read(HEAD), suffix):
            return _Part(path, file, 0, os.fstat(file.fileno()).st_size)
    except OSError:
        pass
    file.close()
    return None


def _answer(part: _Part, wanted: str | None) -> Response:
    try:
        first, last = _range(wanted, part.size)
    except HTTPException:
        close_later(part.path, part.file)
        raise
    headers = {"accept-ranges": "bytes", "cache-control": "no-store"}
    if wanted is not None:
        headers["content-range"] = f"bytes {first}-{last}/{part.size}"
    return FileAnswer(
        part.path,
        part.file,
        part.first + first,
        last + 1 - first,
        status_code=206 if wanted is not None else 200,
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
