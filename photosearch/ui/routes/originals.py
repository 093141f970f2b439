"""The files themselves: saved, played, and shown where they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from photosearch.ui.dependencies import CurrentContext, check_local
from photosearch.ui.files import check, download
from photosearch.ui.full_size import full_size
from photosearch.ui.photos import find_photo, keep
from photosearch.ui.reveal import reveal
from photosearch.ui.videos import has_motion, play, play_motion

router = APIRouter(prefix="/api")


@router.get("/original/{photo_id}")
async def original(context: CurrentContext, photo_id: int) -> Response:
    """The file itself, to be saved."""
    return await download(await find_photo(context, photo_id))


@router.get("/original/{photo_id}/ready")
async def ready(context: CurrentContext, photo_id: int) -> dict[str, Any]:
    """Whether the file can be had now: a browser says nothing of a download that fails."""
    await check(await find_photo(context, photo_id))
    return {}


@router.get("/full/{photo_id}")
async def full(
    context: CurrentContext, photo_id: int, v: str = "", converted: bool = False
) -> Response:
    """The picture with all its pixels: the file where browsers show it, otherwise a JPEG of it.

    `converted` asks for the latter in any case; `v` is as with a thumbnail.
    """
    found = await find_photo(context, photo_id)
    return await full_size(found, context.shrinkers, converted=converted, kept=keep(found, v))


@router.get("/video/{photo_id}")
async def video(context: CurrentContext, photo_id: int, request: Request) -> Response:
    """A video, or the part of it that the browser asks for, to be played."""
    return await play(await find_photo(context, photo_id), request.headers.get("range"))


@router.get("/motion/{photo_id}")
async def motion(context: CurrentContext, photo_id: int, request: Request) -> Response:
    """The video that belongs to a motion photo, or a part of it, to be played."""
    await find_photo(context, photo_id)
    found = await context.lookups.ask(lambda it: it.photos.about(photo_id))
    return await play_motion(found, request.headers.get("range"))


@router.get("/photo/{photo_id}/motion")
async def moves(context: CurrentContext, photo_id: int) -> dict[str, bool]:
    """Whether there is one: asked only of a photo that is looked at, since its file is read."""
    await find_photo(context, photo_id)
    found = await context.lookups.ask(lambda it: it.photos.about(photo_id))
    return {"motion": await has_motion(found)}


@router.post("/reveal/{photo_id}")
async def show(context: CurrentContext, photo_id: int) -> dict[str, Any]:
    """Show a photo in the file manager of this machine."""
    check_local(context)
    photo = await find_photo(context, photo_id)
    await context.in_thread(reveal, photo.path)
    return {}
