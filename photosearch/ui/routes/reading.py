"""Text in photos, read or not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from photosearch.library import Library
from photosearch.ocr.reader import check_reader
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.needs import needed
from photosearch.ui.routes.indexing import Switch

router = APIRouter(prefix="/api")


@router.get("/reading")
async def reading(context: CurrentContext) -> dict[str, Any]:
    """Whether text in photos is read, how far that is, and what has to be installed for it."""
    return await context.lookups.ask(lambda it: _read(context, it))


@router.post("/reading")
async def read(context: CurrentContext, wanted: Switch) -> dict[str, Any]:
    """Read text in photos, also in those that come, or no longer; what was read is kept."""
    await context.in_thread(context.readings.switch, wanted.on)
    return await context.lookups.ask(lambda it: _read(context, it))


def _read(context: Context, library: Library) -> dict[str, Any]:
    read, found = library.texts.counts()
    counts = {"read": read, "found": found, "photos": library.photos.in_folders()}
    return asdict(context.readings.now) | counts | {"needs": needed(check_reader)}
