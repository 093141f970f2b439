"""The library as a whole: what it holds, the doctor, what is on disk."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from photosearch.doctor import Finding
from photosearch.fetching import fetched_now
from photosearch.library import Library
from photosearch.licences import as_text
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import shown
from photosearch.ui.routes.indexing import hidden, progress_of

router = APIRouter(prefix="/api")


class Folder(BaseModel):
    path: str = Field(min_length=1)


@router.get("/state")
async def state(context: CurrentContext) -> dict[str, Any]:
    """What the library holds."""
    status = await context.searching.ask(Library.status)
    return {
        "library": status.library,
        "model": status.model,
        "folders": status.folders,
        "photos": status.photos,
        "encoded": status.encoded,
        "missing": status.missing,
        "problems": len(status.problems),
        "local": context.local,
        "window": context.window is not None,
        "next_model": status.next_model,
        "next_encoded": status.next_encoded,
        "others": status.others,
        "not_connected": hidden(status.not_connected.items()),
        "progress": progress_of(context),
    }


@router.get("/fetching")
async def fetching(context: CurrentContext) -> dict[str, str | None]:
    """What is fetched of a shared archive just now, for which all questions wait."""
    return {"told": fetched_now(context.folder)}


@router.get("/licences")
async def licences(context: CurrentContext) -> PlainTextResponse:
    """What this is made of, and under which licences."""
    return PlainTextResponse(await context.in_thread(as_text))


@router.post("/forget")
async def forget(context: CurrentContext, folder: Folder) -> dict[str, int]:
    """Take a folder out of the library; no photo is touched."""
    return {"photos": await context.change(lambda it: it.forget(folder.path))}


@router.get("/doctor")
async def examine(context: CurrentContext) -> list[dict[str, str]]:
    """Look for what is wrong with the library; nothing is changed."""
    return await context.in_thread(_examine, context, False)


@router.post("/doctor")
async def repair(context: CurrentContext) -> list[dict[str, str]]:
    """Mend what can be mended; no photo is touched."""
    return await context.in_thread(_mend, context)


@router.get("/disk")
async def disk(context: CurrentContext) -> dict[str, int]:
    """Bytes that the library takes, by what they are for."""
    return await context.in_thread(_sizes, context.folder)


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
