"""Photos shared: as they are or smaller, as a zip file, in a folder, or as a web album."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from index import Metadata
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.folder import check_folder, check_outside, indexed_above, new_folder
from photosearch.sharing.order import Order
from photosearch.sharing.wanted import MANY, Shared, Wanted, estimate, shared
from photosearch.sharing.web_album import Look
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext, check_local
from photosearch.ui.files import download_zip
from photosearch.ui.folders import whole_path
from photosearch.ui.photos import Id, shown
from photosearch.ui.shares import Share

router = APIRouter(prefix="/api")

# Of what is left out so many are named; a zip file names all.
_NAMED = 100
# No photo has a longer one.
_ID = re.compile(r"[0-9]{1,18}")


class Photos(BaseModel):
    """Photos by id, or all of an album, and what becomes of each; see `Wanted`."""

    ids: list[Id] = []
    album: Id | None = None
    jpeg: bool = False
    side: int | None = None
    quality: int = 85
    position: bool = False
    details: bool = True
    folder: str | None = None

    def wanted(self) -> Wanted:
        """Raises `UsageError`."""
        return Wanted(
            jpeg=self.jpeg,
            side=self.side,
            quality=self.quality,
            position=self.position,
            details=self.details,
        )


class Wish(Photos):
    """And in what form: as a zip file, or in `folder`; with `web_album` as one of this title."""

    web_album: bool = False
    title: str = Field("", max_length=200)
    captions: bool = True
    dates: bool = True
    places: bool = False
    language: str = "en"


@router.post("/zip")
async def as_zip(context: CurrentContext, ids: str = Form()) -> Response:
    """The originals of photos as one zip file; `ids` are separated by commas."""
    numbers = [int(one) for one in ids.split(",") if _ID.fullmatch(one)]
    photos = await context.lookups.ask(lambda it: shared(it, numbers))
    # They are only read, for which no process is needed.
    pieces = Order(photos, Wanted(position=True)).zipped(Shrinkers())
    return download_zip("photos", pieces)


@router.post("/share/estimate")
async def reckon(context: CurrentContext, wish: Photos) -> dict[str, Any]:
    """How much there would be of what, and the indexed folder that the folder lies in."""
    wanted = wish.wanted()
    found = await context.lookups.ask(lambda it: it.photos.files(_ids(it, wish)))
    photos = [Shared(one, Metadata()) for one in found]
    folder, within = await _folder(context, wish), None
    if folder is not None:
        folders = await context.lookups.ask(lambda it: it.folders)
        within = await context.in_thread(indexed_above, folder, folders)
    return asdict(estimate(photos, wanted)) | {"indexed": within and shown(within)}


@router.post("/share")
async def begin(context: CurrentContext, wish: Wish, request: Request) -> dict[str, Any]:
    """Begin to share; a zip file is then to be fetched."""
    wanted, look = wish.wanted(), _look(wish, request.app.state.texts)
    folder = await _folder(context, wish)
    photos = await context.lookups.ask(lambda it: shared(it, _ids(it, wish)))
    if not photos:
        raise UsageError("there are no photos to share; select some")
    return _told(await context.in_thread(_begin, context, photos, wanted, look, folder))


@router.get("/share/{name}")
async def progress(context: CurrentContext, name: str) -> dict[str, Any]:
    """How far it is."""
    return _told(context.shares.now(name))


@router.get("/share/{name}/zip")
async def fetch(context: CurrentContext, name: str) -> Response:
    """The zip file, made while it is sent."""
    share = context.shares.now(name)
    return download_zip(share.order.name, context.shares.pieces(name))


@router.post("/share/{name}/stop")
async def stop(context: CurrentContext, name: str) -> dict[str, Any]:
    """End it; what is done is kept."""
    context.shares.now(name)
    context.shares.stop()
    return _told(context.shares.now(name))


def _ids(library: Library, wish: Photos) -> list[int]:
    if wish.album is None:
        return wish.ids
    return [one.id for one in library.photos.browse("album", str(wish.album), limit=MANY + 1)]


async def _folder(context: Context, wish: Photos) -> Path | None:
    """Where to write, None for a zip file."""
    if wish.folder is None:
        return None
    check_local(context)
    folder = whole_path(wish.folder)

    def check() -> Path:
        check_outside(folder, context.folder)
        return check_folder(folder)

    return await context.in_thread(check)


def _look(wish: Wish, texts: Mapping[str, Mapping[str, str]]) -> Look | None:
    if not wish.web_album:
        return None
    language = wish.language if wish.language in texts else "en"
    words = texts[language]
    return Look(
        title=" ".join(wish.title.split()) or words["webalbum.title"],
        language=language,
        words=words,
        captions=wish.captions,
        dates=wish.dates,
        places=wish.places,
    )


def _begin(
    context: Context,
    photos: list[Shared],
    wanted: Wanted,
    look: Look | None,
    folder: Path | None,
) -> Share:
    def make(stopped: Callable[[], bool]) -> Order:
        return Order(photos, wanted, look, stopped)

    def place(order: Order) -> Path:
        assert folder is not None
        return new_folder(folder, order.name) if look is not None else folder

    return context.shares.begin(make, None if folder is None else place)


def _told(share: Share) -> dict[str, Any]:
    tally = share.order.tally
    return {
        "id": share.id,
        "state": share.state,
        "folder": share.folder and shown(str(share.folder)),
        "error": share.error,
        "total": tally.total,
        "done": tally.done,
        "files": tally.files,
        "bytes": tally.bytes,
        "converted": tally.converted,
        "left_out": [f"{shown(path)}: {reason}" for path, reason in tally.left_out[:_NAMED]],
        "left_out_count": len(tally.left_out),
    }
