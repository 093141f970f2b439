"""The picture that is shown when somebody looks closely: the original, or what was made of it."""

from __future__ import annotations

import asyncio

from fastapi import HTTPException, Response

from index import FileStamp, PhotoFile
from photosearch.delivery.files import FileAnswer, opened
from photosearch.serving.full_size import BY_BROWSERS, Wanted
from photosearch.serving.shrinking import LateError, ShrinkError, Shrinkers
from photosearch.silent_drive import close_later


async def full_size(
    photo: PhotoFile, shrinkers: Shrinkers, *, converted: bool, kept: str
) -> Response:
    """The picture of a photo at full size; browsers may keep it as `kept` says.

    Made anew each time: few are looked at so closely, and each would take megabytes.
    Raises `HTTPException` when there is none, and says why.
    """
    if photo.format == "VIDEO":
        raise HTTPException(404, "This photo is a video.")
    file = await opened(photo)
    try:
        wanted = Wanted(photo.format, photo.width, photo.height, converted)
        made = await asyncio.wrap_future(shrinkers.full_size(photo.path, wanted))
    except BaseException as error:
        close_later(photo.path, file)
        if isinstance(error, ShrinkError):
            status = 503 if isinstance(error, LateError) else 404
            raise HTTPException(status, f"The photo {error}.") from error
        raise
    headers = {"cache-control": kept}
    if made.data is None:
        kind = BY_BROWSERS[photo.format]
        return FileAnswer(photo.path, file, 0, photo.stamp.size, media_type=kind, headers=headers)
    close_later(photo.path, file)
    if FileStamp(made.size, made.mtime_ns) != photo.stamp:
        raise HTTPException(409, "The file has changed since it was indexed; index again first.")
    return Response(made.data, media_type="image/jpeg", headers=headers)
