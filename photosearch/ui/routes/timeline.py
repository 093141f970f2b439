"""All photos by their days: how many each has, and trips."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from photosearch.library import Library
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import Id, briefs

router = APIRouter(prefix="/api")


# Ratios of width to height, beyond which tiles show pictures cropped, and into how many steps what
# is between them is parted; as in layout.js.
_NARROWEST, _WIDEST, _STEPS = 0.6, 2.6, 255


@router.get("/days")
async def days(context: CurrentContext) -> dict[str, Any]:
    """All photos by their days, in five bytes each: what has to be known to lay all of them out."""
    return await context.lookups.ask(_days)


@router.get("/photos")
async def some(
    context: CurrentContext, photo: Annotated[list[Id], Query(max_length=200)]
) -> list[dict[str, Any]]:
    """What the grid shows of these photos; those that are not there are left out."""
    return await context.lookups.ask(lambda it: briefs(it, photo))


@router.get("/trips")
async def trips(context: CurrentContext) -> list[dict[str, Any]]:
    """The trips, newest first, each with the photo that stands for it."""
    return await context.lookups.ask(_trips)


def _trips(library: Library) -> list[dict[str, Any]]:
    found = library.photos.trips()
    covers = {photo["id"]: photo for photo in briefs(library, [one.cover for one in found])}
    return [asdict(one) | {"cover": covers.get(one.cover)} for one in found]


def _days(library: Library) -> dict[str, Any]:
    found = library.photos.days()
    shapes = (np.clip(found.ratios, _NARROWEST, _WIDEST) - _NARROWEST) / (_WIDEST - _NARROWEST)
    return {
        "days": [(one.day, one.photos, one.city, one.country) for one in found.days],
        "ids": b64encode(found.ids.astype("<u4").tobytes()).decode(),
        "ratios": b64encode(np.round(shapes * _STEPS).astype(np.uint8).tobytes()).decode(),
        "bursts": found.bursts,
    }
