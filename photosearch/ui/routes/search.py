"""Searches by a text or a picture, why a photo was found, and what to search for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from photosearch.search.dates.locales import accepted_tag
from photosearch.search.facets import facets_set
from photosearch.search.find import Sort
from photosearch.search.hits import Hit
from photosearch.search.report import understood
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import listed_brief
from photosearch.ui.reasons import reasons

# A search for everything still has an end; the grid asks for more as it is scrolled.
_PAGE = 120

router = APIRouter(prefix="/api")


@router.get("/search")
async def search(
    context: CurrentContext,
    request: Request,
    q: str = "",
    offset: int = 0,
    limit: int = _PAGE,
    sort: Sort = "relevance",
    picture: str = "",
    everything: bool = False,
    collapse: bool = False,
) -> Response:
    """A part of the photos that `q`, or a picture that was sent before, describes."""
    offset, limit = max(0, offset), max(1, min(limit, 500))
    images = [context.pictures.get(picture)] if picture else []
    locale = accepted_tag(request.headers.get("accept-language", ""))
    hits = await context.searching.ask(
        lambda it: it.search(
            q,
            limit=limit,
            offset=offset,
            sort=sort,
            images=images,
            files=False,
            everything=everything,
            collapse=collapse,
            locale=locale,
        )
    )

    def told(hit: Hit) -> dict[str, Any]:
        brief = listed_brief(hits.listed[hit.photo_id])
        return brief | {"score": hit.score, "moment": hit.moment}

    # As it is: FastAPI would look through each value for what is no JSON.
    answer = {
        "hits": [told(hit) | {"others": [told(other) for other in hit.others]} for hit in hits],
        "more": hits.more,
        "asked": offset + len(hits),
        "total": hits.total,
        "beyond": hits.beyond,
        "cutoff": hits.cutoff,
        "parts": understood(hits.query),
        "set": facets_set(hits.query),
    }
    return JSONResponse(answer)


@router.get("/instead")
async def instead(context: CurrentContext, request: Request, q: str) -> dict[str, Any]:
    """What to search for instead of `q`, which finds nothing."""
    locale = accepted_tag(request.headers.get("accept-language", ""))
    found = await context.searching.ask(lambda it: it.instead(q, files=False, locale=locale))
    return asdict(found)


@router.post("/by-picture")
async def by_picture(context: CurrentContext, request: Request, name: str = "") -> dict[str, str]:
    """Take a picture, the body of the request, to search with."""
    return {"picture": await context.pictures.take(request.stream(), name)}


@router.get("/picture/{key}")
async def picture(context: CurrentContext, key: str) -> Response:
    """A picture that was sent before, small."""
    return Response(
        context.pictures.get(key), media_type="image/webp", headers={"cache-control": "no-store"}
    )


@router.get("/why/{photo_id}")
async def why(
    context: CurrentContext, request: Request, photo_id: int, q: str = "", picture: str = ""
) -> dict[str, Any]:
    """Why a photo fits `q`, or a picture that was sent before; it takes a second or so."""
    images = [context.pictures.get(picture)] if picture else []
    locale = accepted_tag(request.headers.get("accept-language", ""))
    return await reasons(context, photo_id, q, images, locale)


@router.get("/examples")
async def propose(context: CurrentContext) -> list[str]:
    """Texts to search for that this library answers well."""
    return await context.examples.best(6)
