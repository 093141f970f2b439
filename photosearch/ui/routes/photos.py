"""One photo: what is known of it, and how it looks, small and as large as a screen."""

from __future__ import annotations

import os
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from index.catalogue.albums import FAVOURITES
from photosearch.described import described
from photosearch.elsewhere.addresses import is_address
from photosearch.library import Library
from photosearch.serving.shrinking import LateError, ShrinkError
from photosearch.silent_drive import NoAnswerError, answer
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import brief, find_photo, keep, newest_briefs, shown

router = APIRouter(prefix="/api")


@router.get("/newest")
async def newest(context: CurrentContext, limit: int = 60) -> dict[str, Any]:
    """The photos that were indexed last."""
    photos = await context.lookups.ask(lambda it: newest_briefs(it, max(1, min(limit, 500))))
    return {"hits": photos, "more": False}


@router.get("/photo/{photo_id}")
async def photo(context: CurrentContext, photo_id: int) -> dict[str, Any]:
    """All that is known of a photo."""
    found = await find_photo(context, photo_id)

    def known(library: Library) -> dict[str, Any]:
        within = library.albums.of([photo_id]).get(photo_id, [])
        albums = [one for one in library.albums.all() if one.id in within]
        content = described(library.photos.about(photo_id), library.texts.of(photo_id))
        return content | {
            "path": shown(content["path"]),
            "companions": [shown(path) for path in content["companions"]],
            "albums": [{"id": one.id, "name": one.name} for one in albums if one.id != FAVOURITES],
        }

    # As in the grid, `version` is that of the picture.
    content = await context.lookups.ask(known) | brief(found)
    silent, there = False, not found.missing
    elsewhere = is_address(found.path)
    if there and not elsewhere:
        try:
            there = await answer(found.path, os.path.exists, found.path)
        except NoAnswerError:
            silent = True
    return content | {
        "folder": shown(os.path.dirname(found.path)),
        "missing": not there,
        "silent": silent,
        "elsewhere": elsewhere,
    }


@router.get("/thumbnail/{photo_id}")
async def thumbnail(context: CurrentContext, photo_id: int, v: str = "") -> Response:
    """The picture for the grid; `v` changes with the file, so that it may be kept for ever."""
    found = await find_photo(context, photo_id)
    try:
        data = await context.thumbnails.grid(found)
    except ShrinkError as error:
        raise HTTPException(_status(error), str(error)) from error
    headers = {"cache-control": keep(found, v)}
    return Response(data, media_type="image/webp", headers=headers)


@router.get("/screen/{photo_id}")
async def screen(context: CurrentContext, photo_id: int) -> Response:
    """The picture as large as a screen."""
    found = await find_photo(context, photo_id)
    try:
        data = await context.thumbnails.screen(found)
    except ShrinkError as error:
        raise HTTPException(_status(error), str(error)) from error
    headers = {"cache-control": "private, max-age=300"}
    return Response(data, media_type="image/webp", headers=headers)


def _status(error: ShrinkError) -> int:
    return 503 if isinstance(error, LateError) else 404
