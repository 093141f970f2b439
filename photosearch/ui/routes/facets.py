"""Filters to choose from, with how many photos each has."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from photosearch.search.dates.locales import accepted_tag
from photosearch.search.facets import FacetName
from photosearch.ui.dependencies import CurrentContext

router = APIRouter(prefix="/api")


@router.get("/facets")
async def facets(
    context: CurrentContext,
    request: Request,
    of: Annotated[list[FacetName], Query()],
    q: str = "",
    within: Annotated[str, Query(pattern=r"^(\d{4}(-\d{2})?)?$")] = "",
    picture: str = "",
    everything: bool = False,
) -> list[dict[str, Any]]:
    """The choices of these facets, counted among the photos of a search."""
    images = [context.pictures.get(picture)] if picture else []
    locale = accepted_tag(request.headers.get("accept-language", ""))
    found = await context.searching.ask(
        lambda it: it.photos.facets(
            q, of, within=within, images=images, everything=everything, locale=locale
        )
    )
    return [asdict(one) for one in found]


@router.get("/facets/known")
async def known(context: CurrentContext) -> list[FacetName]:
    """The facets of which the library has something to choose."""
    return await context.searching.ask(lambda it: it.photos.known_facets())
