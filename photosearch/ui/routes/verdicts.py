"""Whether a photo is right for what was searched for, and what the model learns from that."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from photosearch.library import Library
from photosearch.search.dates.locales import accepted_tag
from photosearch.tuning.run import Tuned
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import MANY

router = APIRouter(prefix="/api")


class Said(BaseModel):
    """Photos that are right for `q`, or wrong; null takes back what was said."""

    q: str = Field(max_length=10_000)
    ids: list[int] = Field(max_length=MANY)
    right: bool | None


@router.get("/verdict/{photo_id}")
async def verdict(
    context: CurrentContext, request: Request, photo_id: int, q: str
) -> dict[str, Any]:
    """What was said of a photo for `q`, and under which words."""
    locale = accepted_tag(request.headers.get("accept-language", ""))

    def look(library: Library) -> dict[str, Any]:
        query = library.feedback.query(q, locale=locale)
        known = {one.query.casefold(): one.fits for one in library.feedback.of([photo_id])}
        return _counts(library) | {"query": query, "right": known.get(query.casefold())}

    return await context.lookups.ask(look)


@router.post("/verdict")
async def say(context: CurrentContext, request: Request, said: Said) -> dict[str, Any]:
    """Mark photos as right or wrong."""
    locale = accepted_tag(request.headers.get("accept-language", ""))

    def change(library: Library) -> dict[str, Any]:
        query = library.feedback.mark(said.q, said.ids, right=said.right, locale=locale)
        return _counts(library) | {"query": query, "right": said.right}

    return await context.lookups.ask(change)


@router.post("/tune")
async def tune(context: CurrentContext) -> dict[str, Any]:
    """Learn from all marks; switched on only if that helps."""
    return asdict(await context.in_thread(_tune, context))


@router.post("/tune/revert")
async def revert(context: CurrentContext) -> dict[str, Any]:
    """Switch off what was learned."""
    return {"reverted": await context.lookups.ask(lambda it: it.feedback.revert())}


def _tune(context: Context) -> Tuned:
    # With a model of its own, so that nobody who searches has to wait.
    with context.readings.paused():
        return context.slow.ask_now(lambda it: it.feedback.tune())


def _counts(library: Library) -> dict[str, Any]:
    status = library.status()
    return {"marks": status.judged, "tuned": status.tuned}
