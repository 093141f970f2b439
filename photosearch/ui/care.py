"""Routes of the library page: models, the doctor, what is on disk, watching and reading."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from photosearch.doctor import Finding
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.models import Removed
from photosearch.pulling.convert import check_trainer
from photosearch.pulling.offers import Offer
from photosearch.reading.reader import check_reader
from photosearch.ui.context import Context
from photosearch.ui.photos import shown


class Chosen(BaseModel):
    name: str = Field(min_length=1, max_length=300)


class Wanted(Chosen):
    """A model to download; `licence` names the one that is accepted."""

    licence: str | None = Field(None, max_length=100)


class Switch(BaseModel):
    on: bool


class Folder(BaseModel):
    path: str = Field(min_length=1)


def router(context: Context) -> APIRouter:
    """The routes, for one library."""
    api = APIRouter(prefix="/api")

    @api.get("/models")
    async def models() -> list[dict[str, Any]]:
        """The models that are here, with their cards."""
        return [asdict(model) for model in await context.clerk.ask(Library.models)]

    @api.post("/models/use")
    async def use(chosen: Chosen) -> dict[str, Any]:
        """Let another model answer when it has encoded all photos, and begin to encode them."""

        def choose(library: Library) -> None:
            # Only by name or id: a path from a browser is not opened.
            found = [one.id for one in library.models() if chosen.name in (one.id, one.name)]
            if not found:
                raise UsageError(f"{chosen.name}: there is no such model here")
            library.use_model(found[0])

        await context.change(choose)
        return {"running": context.job.start(())}

    @api.post("/models/remove")
    async def remove(chosen: Chosen) -> dict[str, int]:
        """Delete a model, and what it has encoded; never the one that answers searches."""

        def away(library: Library) -> Removed:
            # Only by its id: what is left of a download is taken up again, not deleted.
            if chosen.name not in [one.id for one in library.models()]:
                raise UsageError(f"{chosen.name}: there is no such model here")
            return library.remove_model(chosen.name)

        removed = await context.change(away)
        return {"bytes": removed.bytes, "vectors": removed.vectors}

    @api.get("/offers")
    async def offers() -> dict[str, Any]:
        """The models that can be downloaded, and what has to be installed for that."""
        return {
            "needs": _needed(check_trainer),
            "offers": [_offered(one) for one in await context.clerk.ask(Library.offers)],
            "download": _download(context),
        }

    @api.post("/download")
    async def download(wanted: Wanted) -> dict[str, Any]:
        """Begin to download a model; searches do not change."""
        if not await context.hands(context.downloads.start, wanted.name, wanted.licence):
            raise UsageError("a model is being downloaded already; wait, or stop that first")
        return _download(context)

    @api.get("/download")
    async def downloading() -> dict[str, Any]:
        """How far the download is."""
        return _download(context)

    @api.post("/download/stop")
    async def stop() -> dict[str, Any]:
        """End the download; what has come is kept."""
        await context.hands(context.downloads.stop)
        return _download(context)

    @api.post("/forget")
    async def forget(folder: Folder) -> dict[str, int]:
        """Take a folder out of the library; no photo is touched."""
        return {"photos": await context.change(lambda it: it.forget(folder.path))}

    @api.get("/doctor")
    async def examine() -> list[dict[str, str]]:
        """Look for what is wrong with the library; nothing is changed."""
        return await context.hands(_examine, context, False)

    @api.post("/doctor")
    async def repair() -> list[dict[str, str]]:
        """Mend what can be mended; no photo is touched."""
        return await context.hands(_mend, context)

    @api.get("/disk")
    async def disk() -> dict[str, int]:
        """Bytes that the library takes, by what they are for."""
        return await context.hands(_sizes, context.folder)

    @api.post("/watch")
    async def watch(wanted: Switch) -> dict[str, bool]:
        """Index photos as they come, or no longer."""
        context.job.watch(wanted.on)
        return {"on": wanted.on}

    @api.get("/reading")
    async def reading() -> dict[str, Any]:
        """Whether text in photos is read, how far that is, and what has to be installed for it."""
        return await context.clerk.ask(lambda it: _read(context, it))

    @api.post("/reading")
    async def read(wanted: Switch) -> dict[str, Any]:
        """Read text in photos, also in those that come, or no longer; what was read is kept."""
        await context.hands(context.readings.switch, wanted.on)
        return await context.clerk.ask(lambda it: _read(context, it))

    return api


def _read(context: Context, library: Library) -> dict[str, Any]:
    read, found = library.texts_read()
    counts = {"read": read, "found": found, "photos": library.status().photos}
    return asdict(context.readings.now) | counts | {"needs": _needed(check_reader)}


def _download(context: Context) -> dict[str, Any]:
    now = context.downloads.now
    return asdict(now) | {"running": now.running}


def _needed(check: Callable[[], None]) -> str | None:
    """What has to be installed first."""
    try:
        check()
    except UsageError as error:
        return str(error)
    return None


def _offered(offer: Offer) -> dict[str, Any]:
    names = ("name", "licence", "research_only", "megabytes", "speed", "imagenet", "page", "here")
    return {name: getattr(offer, name) for name in names}


def _mend(context: Context) -> list[dict[str, str]]:
    with context.readings.paused():
        return _examine(context, True)


def _examine(context: Context, repair: bool) -> list[dict[str, str]]:
    found: list[Finding] = list(Library.examine(context.folder, model=context.model, repair=repair))
    return [asdict(one) | {"text": shown(one.text)} for one in found]


def _sizes(library: Path) -> dict[str, int]:
    sizes = {"catalogue": 0, "vectors": 0, "thumbnails": 0, "models": 0, "other": 0}
    for folder, _, names in os.walk(library):
        first = Path(folder).relative_to(library).parts[:1]
        for name in names:
            top = first[0] if first else name
            kind = "catalogue" if top.startswith("catalogue.db") else top
            try:
                size = os.stat(os.path.join(folder, name)).st_size
            except OSError:
                continue  # gone meanwhile
            sizes[kind if kind in sizes else "other"] += size
    return sizes
