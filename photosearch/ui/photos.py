"""Photos as the page's scripts are told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import HTTPException
from pydantic import Field

from index import ListedPhoto, PhotoFile
from photosearch.kinds import RAW, VIDEOS
from photosearch.library import Library
from photosearch.ui.context import Context

# Photos taken at once for an album.
MANY = 20_000
# The number of a photo or album, as SQLite can have it.
Id: TypeAlias = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]


async def find_photo(context: Context, photo_id: int) -> PhotoFile:
    """The file of a photo. Raises `HTTPException` when there is no such photo."""
    if 0 < photo_id < 1 << 63:
        found = await context.lookups.ask(lambda it: it.photos.files([photo_id]))
        if found:
            return found[0]
    raise HTTPException(404, "There is no such photo.")


def briefs(library: Library, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What the grid shows of the photos of `ids`, in that order."""
    return [listed_brief(photo) for photo in library.photos.listed(ids)]


def newest_briefs(library: Library, limit: int) -> list[dict[str, Any]]:
    """What the grid shows of the photos that were indexed last."""
    return [listed_brief(photo) for photo in library.photos.newest(limit)]


def listed_brief(photo: ListedPhoto) -> dict[str, Any]:
    """What the grid shows of one photo."""
    where = photo.place
    return brief(photo) | {
        "taken": photo.taken_at,
        "place": where and (where.city or where.country),
        "country": where and where.country,
        "favourite": photo.favourite,
        "marks": _marks(photo),
    }


def _marks(photo: ListedPhoto) -> list[str]:
    """What a photo is beside a picture: a video, a RAW file, one that moves."""
    beside = {os.path.splitext(path)[1].lower() for path in photo.companions}
    marks = {
        "video": photo.format == "VIDEO",
        "raw": photo.format == "RAW" or bool(beside & RAW),
        "motion": photo.format != "VIDEO" and bool(beside & VIDEOS),
    }
    return [mark for mark, holds in marks.items() if holds]


def brief(photo: PhotoFile) -> dict[str, Any]:
    """What the grid shows of one photo that is only known as a file."""
    return {
        "id": photo.id,
        "name": shown(os.path.basename(photo.path)),
        "width": photo.width,
        "height": photo.height,
        "version": version(photo),
        "taken": None,
        "place": None,
        "marks": [],
    }


def version(photo: PhotoFile) -> str:
    """Changes with the file's bytes."""
    if photo.digest is not None:
        return photo.digest.hex()[:12]
    return f"{photo.stamp.size:x}-{photo.stamp.mtime_ns:x}"


def keep(photo: PhotoFile, asked: str) -> str:
    """For how long a browser may keep a picture that was asked for in the version `asked`."""
    return "private, max-age=31536000, immutable" if asked == version(photo) else "no-store"


def shown(path: str) -> str:
    """A path as text: bytes of a name that are not text become readable escapes."""
    return path.encode("utf-8", "backslashreplace").decode()
