"""The map: photos that lie near each other, and the towns around them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from index.catalogue.areas import Area
from photosearch.indexing.places import towns_in
from photosearch.library import Library
from photosearch.search.filters.places import area_of
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import listed_brief

# Pixels that two clusters are apart, on a map whose Earth is 256 pixels wide at zoom 0.
_APART = 60

router = APIRouter(prefix="/api/map")


@router.get("")
async def clusters(
    context: CurrentContext, area: str, zoom: Annotated[int, Query(ge=0, le=22)]
) -> list[dict[str, Any]]:
    """The photos in an area that say where they were taken, those near each other together.

    Each with how many they are, the area that they lie in, and one of them.
    """
    within = _asked(area)

    def look(library: Library) -> list[dict[str, Any]]:
        found = library.photos.clusters(within, _APART * 360 / 256 / 2**zoom)
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

    return await context.lookups.ask(look)


@router.get("/photos")
async def photos(
    context: CurrentContext, area: str, offset: int = 0, limit: int = 120
) -> dict[str, Any]:
    """A part of the photos in an area, newest first, and how many there are."""
    within = _asked(area)
    offset, limit = max(0, offset), max(1, min(limit, 500))

    def look(library: Library) -> dict[str, Any]:
        found, total = library.photos.within(within, offset=offset, limit=limit)
        hits = [listed_brief(one) for one in found]
        return {"hits": hits, "more": offset + limit < total, "total": total}

    return await context.lookups.ask(look)


@router.get("/towns")
async def towns(
    context: CurrentContext, area: str, most: Annotated[int, Query(ge=1, le=200)] = 60
) -> list[dict[str, Any]]:
    """The towns in an area where most people live, by name and position."""
    found = await context.in_thread(towns_in, _asked(area), most)
    return [
        {"name": one.name, "latitude": round(one.latitude, 4), "longitude": round(one.longitude, 4)}
        for one in found
    ]


def _asked(area: str) -> Area:
    try:
        return area_of(area)
    except ValueError as error:
        raise HTTPException(400, f"area: {error}") from error
