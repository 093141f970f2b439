"""The models that are here, and those that can be downloaded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.library.models import Removed
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offers import Offer
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.needs import needed

router = APIRouter(prefix="/api")


class Chosen(BaseModel):
    name: str = Field(min_length=1, max_length=300)


class Wanted(Chosen):
    """A model to download; `licence` names the one that is accepted."""

    licence: str | None = Field(None, max_length=100)


@router.get("/models")
async def models(context: CurrentContext) -> list[dict[str, Any]]:
    """The models that are here, with their cards."""
    return [asdict(model) for model in await context.lookups.ask(lambda it: it.models.all())]


@router.post("/models/use")
async def use(context: CurrentContext, chosen: Chosen) -> dict[str, Any]:
    """Let another model answer when it has encoded all photos, and begin to encode them."""

    def choose(library: Library) -> None:
        # Only by name or id: a path from a browser is not opened.
        found = [one.id for one in library.models.all() if chosen.name in (one.id, one.name)]
        if not found:
            raise UsageError(f"{chosen.name}: there is no such model here")
        library.models.use(found[0])

    await context.change(choose)
    return {"running": context.job.start(())}


@router.post("/models/remove")
async def remove(context: CurrentContext, chosen: Chosen) -> dict[str, int]:
    """Delete a model, and what it has encoded; never the one that answers searches."""

    def away(library: Library) -> Removed:
        # Only by its id: what is left of a download is taken up again, not deleted.
        if chosen.name not in [one.id for one in library.models.all()]:
            raise UsageError(f"{chosen.name}: there is no such model here")
        return library.models.remove(chosen.name)

    removed = await context.change(away)
    return {"bytes": removed.bytes, "vectors": removed.vectors}


@router.get("/offers")
async def offers(context: CurrentContext) -> dict[str, Any]:
    """The models that can be downloaded, and what has to be installed for those converted."""
    return {
        "needs": needed(check_trainer),
        "offers": [
            _offered(one) for one in await context.lookups.ask(lambda it: it.models.offers())
        ],
        "download": _download(context),
    }


@router.post("/download")
async def download(context: CurrentContext, wanted: Wanted) -> dict[str, Any]:
    """Begin to download a model; searches do not change."""
    if not await context.in_thread(context.downloads.start, wanted.name, wanted.licence):
        raise UsageError("a model is being downloaded already; wait, or stop that first")
    return _download(context)


@router.get("/download")
async def downloading(context: CurrentContext) -> dict[str, Any]:
    """How far the download is."""
    return _download(context)


@router.post("/download/stop")
async def stop(context: CurrentContext) -> dict[str, Any]:
    """End the download; what has come is kept."""
    await context.in_thread(context.downloads.stop)
    return _download(context)


def _download(context: Context) -> dict[str, Any]:
    now = context.downloads.now
    return asdict(now) | {"running": now.running}


def _offered(offer: Offer) -> dict[str, Any]:
    names = (
        "name",
        "maker",
        "licence",
        "research_only",
        "languages",
        "megabytes",
        "speed",
        "imagenet",
        "recall",
        "recommended",
        "converted",
        "page",
        "here",
    )
    return {name: getattr(offer, name) for name in names}
