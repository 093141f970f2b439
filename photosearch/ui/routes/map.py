"""The map: photos that lie near each other, and the towns around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from numpy.typing import NDArray

from index.catalogue.areas import Area
from photosearch.indexing.places import towns_in
from photosearch.library import Library
from photosearch.search.dates.locales import accepted_tag
from photosearch.search.filters.places import area_of
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import listed_brief

T = TypeVar("T")

# Pixels that two clusters are apart, on a map whose Earth is 256 pixels wide at zoom 0.
_APART = 60

router = APIRouter(prefix="/api/map")


@dataclass(frozen=True)
class Asked:
    """The search whose photos are on the map; nothing where all are."""

    q: str
    picture: str
    everything: bool


async def asked_of(q: str = "", picture: str = "", everything: bool = False) -> Asked:
    return Asked(q.strip(), picture, everything)


Searched: TypeAlias = Annotated[Asked, Depends(asked_of)]


@router.get("")
async def clusters(
    context: CurrentContext,
    request: Request,
    area: str,
    zoom: Annotated[int, Query(ge=0, le=22)],
    asked: Searched,
) -> list[dict[str, Any]]:
    """The photos in an area that say where they were taken, those near each other together; of a
    search those that it finds.

    Each with how many they are, the area that they lie in, and one of them.
    """
    within = _area(area)

    def look(library: Library, among: NDArray[np.int64] | None) -> list[dict[str, Any]]:
        found = library.photos.clusters(within, _APART * 360 / 256 / 2**zoom, among)
        covers = {photo.id: photo for photo in library.photos.listed([one.cover for one in found])}
        return [
            {
                "count": one.count,
                "latitude": round(one.latitude, 6),
                "longitude": round(one.longitude, 6),
                "area": [one.area.south, one.area.west, one.area.north, one.area.east],
                "cover": listed_brief(covers[one.cover]),
            }
            for one in found
            # Forgotten between the two questions.
            if one.cover in covers
        ]

    return await _among(context, request, asked, look)


@router.get("/photos")
async def photos(
    context: CurrentContext,
    request: Request,
    area: str,
    asked: Searched,
    offset: int = 0,
    limit: int = 120,
) -> dict[str, Any]:
    """A part of the photos in an area, newest first, and how many there are."""
    within = _area(area)
    offset, limit = max(0, offset), max(1, min(limit, 500))

    def look(library: Library, among: NDArray[np.int64] | None) -> dict[str, Any]:
        found, total = library.photos.within(within, among, offset=offset, limit=limit)
        hits = [listed_brief(one) for one in found]
        return {"hits": hits, "more": offset + limit < total, "total": total}

    return await _among(context, request, asked, look)


@router.get("/towns")
async def towns(
    context: CurrentContext, area: str, most: Annotated[int, Query(ge=1, le=200)] = 60
) -> list[dict[str, Any]]:
    """The towns in an area where most people live, by name and position."""
    found = await context.in_thread(towns_in, _area(area), most)
    return [
        {
            "name": one.name,
            "country": one.country,
            "latitude": round(one.latitude, 4),
            "longitude": round(one.longitude, 4),
        }
        for one in found
    ]


async def _among(
    context: Context,
    request: Request,
    asked: Asked,
    look: Callable[[Library, NDArray[np.int64] | None], T],
) -> T:
    """What `look` gives among the photos that are asked for."""
    if not (asked.q or asked.picture):
        return await context.lookups.ask(lambda it: look(it, None))
    images = [context.pictures.get(asked.picture)] if asked.picture else []
    locale = accepted_tag(request.headers.get("accept-language", ""))

    def searched(library: Library) -> T:
        found = library.photos.found(
            asked.q, images=images, everything=asked.everything, locale=locale
        )
        return look(library, found)

    return await context.searching.ask(searched)


def _area(area: str) -> Area:
    try:
        return area_of(area)
    except ValueError as error:
        raise HTTPException(400, f"area: {error}") from error
