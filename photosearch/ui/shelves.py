"""Routes to look through photos without a query, for albums, and to hand many photos out."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Form, HTTPException, Response
from pydantic import BaseModel, Field

from index.albums import FAVOURITES
from index.browsing import KINDS, By
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.ui.context import Context
from photosearch.ui.files import copy_to, download_zip
from photosearch.ui.photos import briefs, find_photo, shown
from photosearch.ui.reveal import reveal

# Photos taken at once for an album or an export.
_MANY = 20_000


class Name(BaseModel):
    name: str = Field(min_length=1, max_length=120)


class Chosen(BaseModel):
    """Photos by id, and whether to put them in or take them out."""

    ids: list[int] = Field(max_length=_MANY)
    there: bool = True


class Secret(BaseModel):
    secret: str


class Destination(BaseModel):
    ids: list[int] = Field(max_length=_MANY)
    folder: str


def router(context: Context) -> APIRouter:
    """The routes, for one library."""
    api = APIRouter(prefix="/api")

    @api.get("/groups")
    async def groups(by: By) -> list[dict[str, Any]]:
        """The groups that photos fall into, each with its newest photo."""
        return await context.clerk.ask(lambda it: _groups(it, by))

    @api.get("/browse")
    async def browse(
        by: Literal["", "month", "place", "folder", "camera", "album"] = "",
        key: str = "",
        offset: int = 0,
        limit: int = 120,
    ) -> dict[str, Any]:
        """A part of a group's photos, or of all, newest first."""
        offset, limit = max(0, offset), max(1, min(limit, 500))

        def look(library: Library) -> dict[str, Any]:
            kind = by or None
            with library.shelves() as shelves:
                ids = shelves.members(kind, key, offset=offset, limit=limit + 1)
            return {"hits": briefs(library, ids[:limit]), "more": len(ids) > limit}

        return await context.clerk.ask(look)

    @api.get("/albums")
    async def albums() -> list[dict[str, Any]]:
        """All albums, the favourites first, empty ones too."""
        return await context.clerk.ask(_albums)

    @api.post("/albums")
    async def make(wanted: Name) -> dict[str, int]:
        """Make an album, if there is none of this name."""
        name = _name(wanted)

        def new(library: Library) -> int:
            with library.shelves() as shelves:
                return shelves.make_album(name)

        return {"id": await context.clerk.ask(new)}

    @api.post("/albums/{album}/name")
    async def rename(album: int, wanted: Name) -> dict[str, Any]:
        """Give an album another name."""
        name = _name(wanted)

        def change(library: Library) -> bool:
            with library.shelves() as shelves:
                return shelves.rename_album(album, name)

        if not await context.clerk.ask(change):
            raise UsageError(f"there is an album {name} already; choose another name")
        return {}

    @api.post("/albums/{album}/drop")
    async def drop(album: int) -> dict[str, Any]:
        """Drop an album; its photos stay."""

        def away(library: Library) -> None:
            with library.shelves() as shelves:
                shelves.drop_album(album)

        await context.clerk.ask(away)
        return {}

    @api.post("/albums/{album}/photos")
    async def put(album: int, chosen: Chosen) -> dict[str, Any]:
        """Put photos into an album, or take them out."""

        def change(library: Library) -> None:
            with library.shelves() as shelves:
                (shelves.put_into if chosen.there else shelves.take_out)(chosen.ids, album)

        await context.clerk.ask(change)
        return {}

    @api.post("/zip")
    async def as_zip(ids: str = Form()) -> Response:
        """The originals of photos as one zip file; `ids` are separated by commas."""
        numbers = [int(one) for one in ids.split(",") if one.isascii() and one.isdecimal()]
        photos = await context.clerk.ask(lambda it: it.files(numbers[:_MANY]))
        return download_zip(photos)

    @api.post("/copy")
    async def copy(wanted: Destination) -> dict[str, Any]:
        """Copy the originals of photos into a folder of this machine."""
        _check_local(context)
        folder = Path(wanted.folder).expanduser()
        if not folder.is_absolute():
            raise UsageError(f"{folder}: give the whole path of the folder, from its beginning")
        photos = await context.clerk.ask(lambda it: it.files(wanted.ids))
        copied, left_out = await context.hands(copy_to, photos, folder)
        return {"copied": copied, "left_out": left_out}

    @api.post("/choose-folder")
    async def choose() -> dict[str, Any]:
        """Let the user choose a folder in the system's dialog, where there is one."""
        if context.doors is None:
            return {"native": False}
        there, folder = await context.hands(context.doors.choose_folder)
        return {"native": there, "folder": folder}

    @api.post("/reveal/{photo_id}")
    async def show(photo_id: int) -> dict[str, Any]:
        """Show a photo in the file manager of this machine."""
        _check_local(context)
        photo = await find_photo(context, photo_id)
        await context.hands(reveal, photo.path)
        return {}

    @api.post("/show")
    async def forward(wanted: Secret) -> dict[str, Any]:
        """Bring the window forward, for another start of the app."""
        doors = context.doors
        if doors is None or not hmac.compare_digest(wanted.secret, doors.secret):
            raise HTTPException(404, "There is no window.")
        await context.hands(doors.show)
        return {}

    @api.post("/quit")
    async def leave() -> dict[str, Any]:
        """Close the window, and end."""
        if context.doors is None:
            raise UsageError("this server ends where it was started, with Ctrl-C")
        context.doors.quit()
        return {}

    return api


def _check_local(context: Context) -> None:
    if not context.local:
        raise UsageError("only a browser on the machine itself can do that; download instead")


def _name(wanted: Name) -> str:
    name = " ".join(wanted.name.split())
    if not name:
        raise UsageError("the name of the album is empty; give it one")
    return name


def _groups(library: Library, by: By) -> list[dict[str, Any]]:
    assert by in KINDS
    with library.shelves() as shelves:
        found = shelves.groups(by)
    covers = {photo["id"]: photo for photo in briefs(library, [one.cover for one in found])}
    return [
        {
            "key": shown(one.key),
            "count": one.count,
            "cover": covers.get(one.cover),
            "place": json.loads(one.key) if by == "place" and one.key else None,
        }
        for one in found
    ]


def _albums(library: Library) -> list[dict[str, Any]]:
    with library.shelves() as shelves:
        every, filled = shelves.albums(), {one.key: one for one in shelves.groups("album")}
    covers = [filled[str(album.id)].cover for album in every if str(album.id) in filled]
    found = {photo["id"]: photo for photo in briefs(library, covers)}
    return [
        {
            "id": album.id,
            "name": album.name,
            "favourites": album.id == FAVOURITES,
            "count": filled[str(album.id)].count if str(album.id) in filled else 0,
            "cover": found.get(filled[str(album.id)].cover) if str(album.id) in filled else None,
        }
        for album in every
    ]
