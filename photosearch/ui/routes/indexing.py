"""The index run, the folders to choose for it, and watching them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.silent_drive import answer
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.folders import subfolders, whole_path
from photosearch.ui.photos import newest_briefs, shown

router = APIRouter(prefix="/api")


class Folders(BaseModel):
    """What to index; all known folders when empty."""

    folders: list[str] = []
    retry: bool = False


class Switch(BaseModel):
    on: bool


@router.post("/index")
async def index(context: CurrentContext, wanted: Folders) -> dict[str, Any]:
    """Begin an index run."""
    from photosearch.indexing.scan import resolve_roots

    folders = [whole_path(folder.strip()) for folder in wanted.folders]
    known = (await context.lookups.ask(Library.status)).folders
    if not folders and not known:
        raise UsageError("no folder is known yet; choose one to index")
    drive = str((folders or known)[0])
    roots = await answer(os.path.join(drive, ""), resolve_roots, folders, known)
    if not context.job.start(roots, retry=wanted.retry):
        raise UsageError("photos are being indexed already; wait, or stop that first")
    return progress_of(context)


@router.post("/stop")
async def stop(context: CurrentContext) -> dict[str, Any]:
    """End the index run; what is done is kept."""
    context.job.stop()
    return progress_of(context)


@router.get("/progress")
async def progress(context: CurrentContext) -> dict[str, Any]:
    """How far the index run is, and the photos that it recorded last."""
    photos = await context.lookups.ask(lambda it: newest_briefs(it, 24))
    return progress_of(context) | {"newest": photos}


@router.get("/problems")
async def problems(context: CurrentContext) -> list[dict[str, str]]:
    """The files that could not be indexed, with the reason."""
    status = await context.lookups.ask(Library.status)
    return [{"path": shown(path), "reason": reason} for path, reason in status.problems]


@router.get("/folders")
async def folders(path: str = "") -> dict[str, Any]:
    """The folders in a folder, to choose from."""
    return await answer(os.path.join(path, ""), subfolders, path)


@router.post("/watch")
async def watch(context: CurrentContext, wanted: Switch) -> dict[str, bool]:
    """Index photos as they come, or no longer."""
    context.job.watch(wanted.on)
    return {"on": wanted.on}


def progress_of(context: Context) -> dict[str, Any]:
    progress = context.job.progress
    told = [{"path": shown(path), "reason": reason} for path, reason in progress.problems]
    return asdict(progress) | {
        "problems": told,
        "absent": hidden(progress.absent),
        "running": progress.running,
    }


def hidden(folders: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"path": shown(path), "hidden": hidden} for path, hidden in folders]
