"""Photos as the page's scripts are told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from fastapi import HTTPException

from index import Metadata, PhotoFile
from index.albums import FAVOURITES
from photosearch.library import Library
from photosearch.ui.context import Context


async def find_photo(context: Context, photo_id: int) -> PhotoFile:
    """The file of a photo. Raises `HTTPException` when there is no such photo."""
    if 0 < photo_id < 1 << 63:
        found = await context.clerk.ask(lambda it: it.files([photo_id]))
        if found:
            return found[0]
    raise HTTPException(404, "There is no such photo.")


def briefs(library: Library, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What the grid shows of the photos of `ids`, in that order."""
    return _briefs(library, library.files(ids))


def newest_briefs(library: Library, limit: int) -> list[dict[str, Any]]:
    """What the grid shows of the photos that were indexed last."""
    return _briefs(library, library.newest(limit))


def _briefs(library: Library, photos: Sequence[PhotoFile]) -> list[dict[str, Any]]:
    ids = [photo.id for photo in photos]
    known = library.metadata(ids)
    with library.shelves() as shelves:
        albums = shelves.albums_of(ids)
    return [
        brief(photo, known.get(photo.id)) | {"favourite": FAVOURITES in albums.get(photo.id, ())}
        for photo in photos
    ]


def brief(photo: PhotoFile, metadata: Metadata | None = None) -> dict[str, Any]:
    """What the grid shows of one photo."""
    metadata = metadata or Metadata()
    return {
        "id": photo.id,
        "name": shown(os.path.basename(photo.path)),
        "width": photo.width,
        "height": photo.height,
        "version": version(photo),
        "taken": metadata.taken_at,
        "place": metadata.place and (metadata.place.city or metadata.place.country),
    }


def version(photo: PhotoFile) -> str:
    """Changes with the file's bytes."""
    if photo.digest is not None:
        return photo.digest.hex()[:12]
    return f"{photo.stamp.size:x}-{photo.stamp.mtime_ns:x}"


def shown(path: str) -> str:
    """A path as text: bytes of a name that are not text become readable escapes."""
    return path.encode("utf-8", "backslashreplace").decode()
