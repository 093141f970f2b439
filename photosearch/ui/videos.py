"""Videos, played in the browser from any moment on: it asks for parts of the file.

Those that belong to a photo are played in the same way: phones put the video of a motion photo into
its file, or beside it.
"""

from __future__ import annotations

import os

from fastapi import HTTPException, Response

from index import PhotoFile
from photosearch.about import About
from photosearch.delivery.files import Part, asked, opened, ranged
from photosearch.indexing.motion import video_inside
from photosearch.kinds import HEAD, LIVE, is_video
from photosearch.regular_file import open_regular
from photosearch.sharing.originals import unchanged
from photosearch.silent_drive import close_later


async def play(photo: PhotoFile, wanted: str | None) -> Response:
    """The bytes of a video that the header Range, `wanted`, asks for; all of it without one.

    Raises `HTTPException` when the photo is no video, cannot be had, or has no such bytes.
    """
    if photo.format != "VIDEO":
        raise HTTPException(404, "This photo is no video.")
    return _answer(Part(photo.path, await opened(photo), 0, photo.stamp.size), wanted)


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


def _motion(photo: About) -> Part | None:
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
    return Part(photo.file.path, still, *inside)


def _video_at(path: str) -> Part | None:
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
            return Part(path, file, 0, os.fstat(file.fileno()).st_size)
    except OSError:
        pass
    file.close()
    return None


def _answer(part: Part, wanted: str | None) -> Response:
    # Browsers that do not know QuickTime by name play it by this one: it is the same container.
    return ranged(part, wanted, media_type="video/mp4", headers={"cache-control": "no-store"})
