"""The models that are here, and those that can be downloaded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.library.models import Removed
from photosearch.pulling.advice import Advice
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offline import is_offline
from photosearch.settings import read
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext, check_local
from photosearch.ui.downloads import Order
from photosearch.ui.folders import whole_path
from photosearch.ui.needs import needed

router = APIRouter(prefix="/api")


class Chosen(BaseModel):
    name: str = Field(min_length=1, max_length=300)


class Wanted(Chosen):
    """A model to download; `licence` names the one that is accepted. With `use` it is to answer
    searches afterwards."""

    licence: str | None = Field(None, max_length=100)
    use: bool = False


class Added(BaseModel):
    """The folder that a model is in."""

    path: str = Field(min_length=1, max_length=4096)


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

    _check_free(context)
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
async def offers(
    context: CurrentContext, language: Annotated[str, Query(pattern="^[a-z]{2,3}$")] = "en"
) -> dict[str, Any]:
    """The models that can be downloaded, the best for this machine and language first, and what has
    to be installed for those that are converted."""
    # It measures the machine, and is asked of the thread that may take its time.
    advised = await context.slow.ask(lambda it: it.models.advice(language))
    return {
        "needs": needed(check_trainer),
        "offline": is_offline(read(context.folder)),
        "photos": advised.photos,
        "free": advised.free,
        "local": context.local,
        "best": [_offered(one) for one in advised.recommended],
        "offers": [_offered(one) for one in advised.all if one not in advised.recommended],
        "download": _download(context),
    }


@router.post("/download")
async def download(context: CurrentContext, wanted: Wanted) -> dict[str, Any]:
    """Begin to download a model; searches change only with `use`, when all photos are encoded."""
    if wanted.use:
        _check_free(context)
    order = Order(wanted.name, wanted.licence, use=wanted.use)
    return await _begin(context, order)


@router.post("/models/add")
async def add(context: CurrentContext, wanted: Added) -> dict[str, Any]:
    """Begin to copy a model from a folder of this machine."""
    check_local(context)
    folder = whole_path(wanted.path.strip())
    return await _begin(context, Order(folder.name or str(folder), folder=str(folder)))


@router.get("/download")
async def downloading(context: CurrentContext) -> dict[str, Any]:
    """How far the download is."""
    return _download(context)


@router.post("/download/pause")
async def pause(context: CurrentContext) -> dict[str, Any]:
    """End the download for now; what has come is kept."""
    await context.in_thread(context.downloads.pause)
    return _download(context)


@router.post("/download/resume")
async def resume(context: CurrentContext) -> dict[str, Any]:
    """Go on with a download that was paused, or has failed."""
    await context.in_thread(context.downloads.resume)
    return _download(context)


@router.post("/download/discard")
async def discard(context: CurrentContext) -> dict[str, Any]:
    """Delete what has come of a download that was paused, or has failed."""
    await context.in_thread(context.downloads.discard)
    return _download(context)


async def _begin(context: Context, order: Order) -> dict[str, Any]:
    if not await context.in_thread(context.downloads.start, order):
        raise UsageError("a model is being downloaded already; wait, or stop that first")
    return _download(context)


def _check_free(context: Context) -> None:
    """Raise `UsageError` where a model is named that is used whatever is chosen."""
    if read(context.folder, model=context.model).model is not None:
        raise UsageError(
            "--model, PHOTOSEARCH_MODEL or the setting `model` names a model to use whatever is "
            "chosen; leave it out"
        )


def _download(context: Context) -> dict[str, Any]:
    now = context.downloads.now
    return asdict(now) | {"running": now.running}


def _offered(one: Advice) -> dict[str, Any]:
    offer = one.offer
    return {
        "name": offer.name,
        "maker": offer.maker,
        "licence": offer.licence,
        "research_only": offer.research_only,
        "many_languages": offer.languages is None,
        "understands": one.understands,
        "megabytes": offer.megabytes,
        "seconds": one.seconds,
        "memory": one.memory,
        "disk": one.disk,
        "fits": one.fits,
        "imagenet": offer.imagenet,
        "recall": offer.recall,
        "converted": offer.converted,
        "page": offer.page,
        "here": offer.here,
    }
