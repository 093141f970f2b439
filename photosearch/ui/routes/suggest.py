"""What may be meant by what is being typed, and the searches that were made before."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from photosearch.search.dates.locales import accepted_tag
from photosearch.ui.dependencies import CurrentContext

_MOST = 8

router = APIRouter(prefix="/api")


class Searched(BaseModel):
    text: str = Field(max_length=500)


@router.get("/suggest")
async def suggest(
    context: CurrentContext, request: Request, q: str = "", caret: int | None = None
) -> Response:
    """What `q` may become where its caret is, after so many characters, best first."""
    locale = accepted_tag(request.headers.get("accept-language", ""))
    recent = await context.in_thread(context.recent.all)
    found = await context.suggesting.ask(
        lambda it: it.suggest(q, caret, recent=recent, limit=_MOST, locale=locale)
    )
    return JSONResponse([asdict(one) for one in found])


@router.post("/recent")
async def remember(context: CurrentContext, searched: Searched) -> dict[str, Any]:
    """Keep a text that was searched for."""
    await context.in_thread(context.recent.add, searched.text)
    return {}


@router.post("/recent/clear")
async def clear(context: CurrentContext) -> dict[str, Any]:
    """Forget all texts that were searched for."""
    await context.in_thread(context.recent.clear)
    return {}
