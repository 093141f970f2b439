"""What the page's scripts ask for: JSON below /api, pictures by the photo's id.

A photo is always named by its id in the catalogue; no path from a request is opened. The one
exception is the list of folders to choose from, which gives names of folders only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel

from index.albums import FAVOURITES
from photosearch.about import file_date
from photosearch.errors import PhotoIdError, PhotosearchError, UsageError
from photosearch.library import Library
from photosearch.search.dates.locales import accepted_tag
from photosearch.search.find import Sort
from photosearch.search.query import QueryError
from photosearch.search.report import understood
from photosearch.ui.context import Context
from photosearch.ui.examples import Examples
from photosearch.ui.files import download
from photosearch.ui.films import play
from photosearch.ui.folders import subfolders
from photosearch.ui.photos import brief, briefs, find_photo, newest_briefs, shown, version
from photosearch.ui.queries import Pictures
from photosearch.ui.reasons import reasons
from photosearch.ui.shrinking import ShrinkError

_FOREVER = "private, max-age=31536000, immutable"
_NEVER = "no-store"
# A search for everything still has an end; the grid asks for more as it is scrolled.
_PAGE = 120


class Folders(BaseModel):
    """What to index; all known folders when empty."""

    folders: list[str] = []
    retry: bool = False


class SavedName(BaseModel):
    name: str


class Saved(SavedName):
    text: str
    sort: Sort = "relevance"


def router(context: Context) -> APIRouter:
    """The routes, for one library."""
    api = APIRouter(prefix="/api")

    @api.get("/state")
    async def state() -> dict[str, Any]:
        """What the library holds."""
        status = await context.finder.ask(Library.status)
        return {
            "library": status.library,
            "model": status.model,
            "folders": status.folders,
            "photos": status.photos,
            "encoded": status.encoded,
            "missing": status.missing,
            "problems": len(status.problems),
            "local": context.local,
            "window": context.doors is not None,
            "next_model": status.next_model,
            "next_encoded": status.next_encoded,
            "others": status.others,
            "not_connected": _hidden(status.not_connected.items()),
            "progress": _progress(context),
        }

    pictures = Pictures(context.shrinkers)
    examples = Examples(context.folder, context.finder, context.clerk)

    @api.get("/search")
    async def search(
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
        images = [pictures.get(picture)] if picture else []
        locale = accepted_tag(request.headers.get("accept-language", ""))
        hits = await context.finder.ask(
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
        every = {one.photo_id: one for hit in hits for one in (hit, *hit.others)}
        photos = {
            photo["id"]: photo
            | {"score": every[photo["id"]].score, "moment": every[photo["id"]].moment}
            for photo in await context.clerk.ask(lambda it: briefs(it, list(every)))
        }
        # As it is: FastAPI would look through each value for what is no JSON.
        answer = {
            "hits": [
                photos[hit.photo_id]
                | {"others": [photos[one.photo_id] for one in hit.others if one.photo_id in photos]}
                for hit in hits
                if hit.photo_id in photos
            ],
            "more": hits.more,
            "asked": offset + len(hits),
            "total": hits.total,
            "beyond": hits.beyond,
            "cutoff": hits.cutoff,
            "parts": understood(hits.query),
        }
        return JSONResponse(answer)

    @api.post("/by-picture")
    async def by_picture(request: Request, name: str = "") -> dict[str, str]:
        """Take a picture, the body of the request, to search with."""
        return {"picture": await pictures.take(context, await request.body(), name)}

    @api.get("/picture/{key}")
    async def picture(key: str) -> Response:
        """A picture that was sent before, small."""
        return Response(
            pictures.get(key), media_type="image/webp", headers={"cache-control": _NEVER}
        )

    @api.get("/why/{photo_id}")
    async def why(
        request: Request, photo_id: int, q: str = "", picture: str = ""
    ) -> dict[str, Any]:
        """Why a photo fits `q`, or a picture that was sent before; it takes a second or so."""
        images = [pictures.get(picture)] if picture else []
        locale = accepted_tag(request.headers.get("accept-language", ""))
        return await reasons(context, photo_id, q, images, locale)

    @api.get("/saved")
    async def saved() -> list[dict[str, Any]]:
        """The searches that were saved."""
        return [asdict(one) for one in await context.clerk.ask(Library.saved_searches)]

    @api.post("/saved")
    async def save(wanted: Saved) -> dict[str, Any]:
        """Save a search, in the place of another of its name."""
        search = await context.clerk.ask(
            lambda it: it.save_search(wanted.name, wanted.text, sort=wanted.sort)
        )
        return asdict(search)

    @api.post("/saved/remove")
    async def remove(wanted: SavedName) -> dict[str, Any]:
        """Forget a saved search."""
        await context.clerk.ask(lambda it: it.remove_search(wanted.name))
        return {}

    @api.get("/examples")
    async def propose() -> list[str]:
        """Texts to search for that this library answers well."""
        return await examples.best(6)

    @api.get("/newest")
    async def newest(limit: int = 60) -> dict[str, Any]:
        """The photos that were indexed last."""
        photos = await context.clerk.ask(lambda it: newest_briefs(it, max(1, min(limit, 500))))
        return {"hits": photos, "more": False}

    @api.get("/photo/{photo_id}")
    async def photo(photo_id: int) -> dict[str, Any]:
        """All that is known of a photo."""
        found = await find_photo(context, photo_id)

        def known(library: Library) -> dict[str, Any]:
            metadata = library.metadata([photo_id]).get(photo_id)
            with library.shelves() as shelves:
                within = shelves.albums_of([photo_id]).get(photo_id, [])
                albums = [one for one in shelves.albums() if one.id in within]
            return {
                "metadata": asdict(metadata) if metadata else {},
                "albums": [
                    {"id": one.id, "name": one.name} for one in albums if one.id != FAVOURITES
                ],
                "text": library.text_of(photo_id),
            }

        return (
            brief(found)
            | {
                "path": shown(found.path),
                "folder": shown(os.path.dirname(found.path)),
                "bytes": found.stamp.size,
                "file_date": file_date(found.stamp),
                "format": found.format,
                "missing": found.missing or not os.path.exists(found.path),
            }
            | await context.clerk.ask(known)
        )

    @api.get("/thumbnail/{photo_id}")
    async def thumbnail(photo_id: int, v: str = "") -> Response:
        """The picture for the grid; `v` changes with the file, so that it may be kept for ever."""
        found = await find_photo(context, photo_id)
        try:
            data = await context.thumbnails.grid(found)
        except ShrinkError as error:
            raise HTTPException(404, str(error)) from error
        kept = _FOREVER if v == version(found) else _NEVER
        return Response(data, media_type="image/webp", headers={"cache-control": kept})

    @api.get("/screen/{photo_id}")
    async def screen(photo_id: int) -> Response:
        """The picture as large as a screen."""
        found = await find_photo(context, photo_id)
        try:
            data = await context.thumbnails.screen(found)
        except ShrinkError as error:
            raise HTTPException(404, str(error)) from error
        headers = {"cache-control": "private, max-age=300"}
        return Response(data, media_type="image/webp", headers=headers)

    @api.get("/original/{photo_id}")
    async def original(photo_id: int) -> Response:
        """The file itself, to be saved."""
        return download(await find_photo(context, photo_id))

    @api.get("/film/{photo_id}")
    async def film(photo_id: int, request: Request) -> Response:
        """A film, or the part of it that the browser asks for, to be played."""
        return play(await find_photo(context, photo_id), request.headers.get("range"))

    @api.post("/index")
    async def index(wanted: Folders) -> dict[str, Any]:
        """Begin an index run."""
        from photosearch.indexing.scan import resolve_roots

        folders = [os.path.expanduser(folder.strip()) for folder in wanted.folders]
        for folder in folders:
            if not os.path.isabs(folder):
                raise UsageError(f"{folder}: give the whole path of the folder, from its beginning")
        known = (await context.clerk.ask(Library.status)).folders
        if not folders and not known:
            raise UsageError("no folder is known yet; choose one to index")
        resolve_roots(folders, known)
        if not context.job.start(folders, retry=wanted.retry):
            raise UsageError("photos are being indexed already; wait, or stop that first")
        return _progress(context)

    @api.post("/stop")
    async def stop() -> dict[str, Any]:
        """End the index run; what is done is kept."""
        context.job.stop()
        return _progress(context)

    @api.get("/progress")
    async def progress() -> dict[str, Any]:
        """How far the index run is, and the photos that it recorded last."""
        photos = await context.clerk.ask(lambda it: newest_briefs(it, 24))
        return _progress(context) | {"newest": photos}

    @api.get("/problems")
    async def problems() -> list[dict[str, str]]:
        """The files that could not be indexed, with the reason."""
        status = await context.clerk.ask(Library.status)
        return [{"path": shown(path), "reason": reason} for path, reason in status.problems]

    @api.get("/folders")
    async def folders(path: str = "") -> dict[str, Any]:
        """The folders in a folder, to choose from."""
        return subfolders(path)

    return api


async def refused(_: Request, error: Exception) -> Response:
    """Our own errors as JSON; their message is fit for the user."""
    status = 400 if isinstance(error, UsageError) else 500
    if isinstance(error, PhotoIdError):
        status = 422
    content: dict[str, Any] = {"error": str(error)}
    if isinstance(error, QueryError):
        content |= {"error": error.reason, "position": error.position}
    return JSONResponse(content, status)


HANDLERS: dict[int | type[Exception], Any] = {PhotosearchError: refused}


def _progress(context: Context) -> dict[str, Any]:
    progress = context.job.progress
    told = [{"path": shown(path), "reason": reason} for path, reason in progress.problems]
    return asdict(progress) | {
        "problems": told,
        "absent": _hidden(progress.absent),
        "running": progress.running,
    }


def _hidden(folders: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"path": shown(path), "hidden": hidden} for path, hidden in folders]


STATIC = Path(__file__).parent / "static"


def static_file(name: str) -> Response:
    """One of our own scripts and styles, by name."""
    names = {path.name: path for path in STATIC.iterdir()}
    if name not in names:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(names[name], headers={"cache-control": "no-cache"})
