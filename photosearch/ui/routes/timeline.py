"""All photos by their days: how many each has, and trips."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from index.catalogue.days import Day, MonthOfDays
from photosearch.library import Library
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import Id, briefs

router = APIRouter(prefix="/api")


# Ratios of width to height, beyond which tiles show pictures cropped, and into how many steps what
# is between them is parted; as in layout.js.
_NARROWEST, _WIDEST, _STEPS = 0.6, 2.6, 255


# What was told of each month, for as long as it stays as it is: its days, and the rest.
_told: WeakKeyDictionary[MonthOfDays, tuple[bytes, bytes]] = WeakKeyDictionary()


@router.get("/days")
async def days(context: CurrentContext) -> Response:
    """All photos by their days, in five bytes each: what has to be known to lay all of them out.

    They come in parts, each a month, with the places of bursts in it.
    """
    pieces = await context.lookups.ask(_days)

    async def each() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    # Of very many photos it is not joined, which would take longer than to find it.
    return StreamingResponse(each(), media_type="application/json")


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


def _days(library: Library) -> list[bytes]:
    found = library.photos.days()
    told = [_told.get(month) or _told.setdefault(month, _month(month)) for month in found.months]
    days = [of_month for of_month, _ in told if of_month]
    if found.undated:
        days.append(_joined([found.undated]))
    months = [piece for _, rest in told for piece in (b",", rest)][1:]
    return [b'{"days":[', b",".join(days), b'],"months":[', *months, b"]}"]


def _month(month: MonthOfDays) -> tuple[bytes, bytes]:
    shapes = (np.clip(month.ratios, _NARROWEST, _WIDEST) - _NARROWEST) / (_WIDEST - _NARROWEST)
    rest = {
        "ids": b64encode(month.ids.astype("<u4").tobytes()).decode(),
        "ratios": b64encode(np.round(shapes * _STEPS).astype(np.uint8).tobytes()).decode(),
        "bursts": month.bursts.tolist(),
    }
    return _joined(month.days), json.dumps(rest).encode()


def _joined(days: Sequence[Day]) -> bytes:
    every = [(one.day, one.photos, one.city, one.country) for one in days]
    return json.dumps(every)[1:-1].encode()
