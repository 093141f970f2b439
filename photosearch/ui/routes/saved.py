"""Searches that were saved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from photosearch.search.find import Sort
from photosearch.ui.dependencies import CurrentContext

router = APIRouter(prefix="/api")


class SavedName(BaseModel):
    name: str


class Saved(SavedName):
    text: str
    sort: Sort = "relevance"


@router.get("/saved")
async def saved(context: CurrentContext) -> list[dict[str, Any]]:
    """The searches that were saved."""
    return [asdict(one) for one in await context.lookups.ask(lambda it: it.saved.all())]


@router.post("/saved")
async def save(context: CurrentContext, wanted: Saved) -> dict[str, Any]:
    """Save a search, in the place of another of its name."""
    search = await context.lookups.ask(
        lambda it: it.saved.add(wanted.name, wanted.text, sort=wanted.sort)
    )
    return asdict(search)


@router.post("/saved/remove")
async def remove(context: CurrentContext, wanted: SavedName) -> dict[str, Any]:
    """Forget a saved search."""
    await context.lookups.ask(lambda it: it.saved.remove(wanted.name))
    return {}
