"""Photos without a query: in groups, and in albums."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from index.catalogue.albums import FAVOURITES
from index.catalogue.browsing import KINDS, BrowseBy, PhotoGroup
from photosearch.library import Library
from photosearch.search.lexicon import asking
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import MANY, Id, briefs, listed_brief, shown

router = APIRouter(prefix="/api")

# Groups of whose newest photo all is told that a grid shows. Who looks at more sees its picture.
_SEEN = 500


class Name(BaseModel):
    name: str = Field(min_length=1, max_length=120)


class Chosen(BaseModel):
    """Photos by id, and whether to put them in or take them out."""

    ids: list[Id] = Field(max_length=MANY)
    there: bool = True


@router.get("/groups")
async def groups(context: CurrentContext, by: BrowseBy) -> Response:
    """The groups that photos fall into, each with its newest photo."""
    answer = await context.lookups.ask(lambda it: _groups(it, by))
    return Response(answer, media_type="application/json")


@router.get("/browse")
async def browse(
    context: CurrentContext,
    by: Literal["", "month", "place", "folder", "camera", "album", "person"] = "",
    key: str = "",
    offset: int = 0,
    limit: int = 120,
) -> dict[str, Any]:
    """A part of a group's photos, or of all, newest first."""
    offset, limit = max(0, offset), max(1, min(limit, 500))

    def look(library: Library) -> dict[str, Any]:
        if by == "person":
            photos = library.people.photos(key, offset=offset, limit=limit + 1)
        else:
            photos = library.photos.browse(by or None, key, offset=offset, limit=limit + 1)
        return {"hits": [listed_brief(one) for one in photos[:limit]], "more": len(photos) > limit}

    return await context.lookups.ask(look)


@router.get("/albums")
async def albums(context: CurrentContext) -> list[dict[str, Any]]:
    """All albums, the favourites first, empty ones too."""
    return await context.lookups.ask(_albums)


@router.post("/albums")
async def make(context: CurrentContext, wanted: Name) -> dict[str, int]:
    """Make an album, if there is none of this name."""
    return {"id": await context.lookups.ask(lambda it: it.albums.create(wanted.name))}


@router.post("/albums/{album}/name")
async def rename(context: CurrentContext, album: Id, wanted: Name) -> dict[str, Any]:
    """Give an album another name."""
    await context.lookups.ask(lambda it: it.albums.rename(album, wanted.name))
    return {}


@router.post("/albums/{album}/drop")
async def drop(context: CurrentContext, album: Id) -> dict[str, Any]:
    """Drop an album; its photos stay."""
    await context.lookups.ask(lambda it: it.albums.remove(album))
    return {}


@router.post("/albums/{album}/photos")
async def put(context: CurrentContext, album: Id, chosen: Chosen) -> dict[str, Any]:
    """Put photos into an album, or take them out."""

    def change(library: Library) -> None:
        albums = library.albums
        (albums.add_photos if chosen.there else albums.remove_photos)(chosen.ids, album)

    await context.lookups.ask(change)
    return {}


def _groups(library: Library, by: BrowseBy) -> str:
    assert by in KINDS
    found = library.photos.groups(by)
    covers = {photo["id"]: photo for photo in briefs(library, [one.cover for one in found[:_SEEN]])}
    first = (json.dumps(_group(by, one, covers.get(one.cover))) for one in found[:_SEEN])
    return f"[{','.join([*first, *(_brief_group(by, one) for one in found[_SEEN:])])}]"


# What was told of groups, by the objects that they are, which stay while they are as they were: to
# compare fifty thousand folders takes longer than to send them.
_told: dict[int, tuple[PhotoGroup, str]] = {}
_MOST_TOLD = 1 << 17


def _brief_group(by: BrowseBy, group: PhotoGroup) -> str:
    """Of the photo no more than by what it is asked for."""
    known = _told.get(id(group))
    if known is None:
        if len(_told) >= _MOST_TOLD:
            _told.clear()
        # With the group, so that no other can be the same object.
        known = _told[id(group)] = group, json.dumps(_group(by, group, {"id": group.cover}))
    return known[1]


def _group(by: BrowseBy, group: PhotoGroup, cover: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "key": shown(group.key),
        "count": group.count,
        "cover": cover,
        "place": json.loads(group.key) if by == "place" and group.key else None,
        "filter": _filter(by, group.key),
    }


def _filter(by: BrowseBy, key: str) -> str:
    """What a search among the photos of a group asks for; "" where nothing does."""
    if by == "place" and key:
        place = json.loads(key)
        smaller = place["city"] or place["region"]
        return asking("in", ", ".join(filter(None, (smaller, place["country"]))))
    return asking(by, key) if by in ("folder", "camera") else ""


def _albums(library: Library) -> list[dict[str, Any]]:
    every = library.albums.all()
    filled = {one.key: one for one in library.photos.groups("album")}
    covers = [filled[str(album.id)].cover for album in every if str(album.id) in filled]
    found = {photo["id"]: photo for photo in briefs(library, covers)}
    return [
        {
            "id": album.id,
            "name": album.name,
            "filter": asking("album", album.name),
            "favourites": album.id == FAVOURITES,
            "count": filled[str(album.id)].count if str(album.id) in filled else 0,
            "cover": found.get(filled[str(album.id)].cover) if str(album.id) in filled else None,
        }
        for album in every
    ]
