"""Who is in the photos, and what is said of these people. Edits answer with what undoes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, Field

from index.catalogue.own_people import OwnPerson
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.library.people import PeopleEdit
from photosearch.search.lexicon import asking
from photosearch.serving.shrinking import LateError, ShrinkError
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import briefs, find_photo, keep

router = APIRouter(prefix="/api")

_Name = Annotated[str, Field(min_length=1, max_length=400)]
_MANY = 1000


class Named(BaseModel):
    name: _Name


class Renaming(Named):
    new: _Name


class Merging(BaseModel):
    names: list[_Name] = Field(max_length=_MANY)
    into: _Name


class Splitting(Named):
    other: _Name


class Hiding(Named):
    hidden: bool


class Before(BaseModel):
    """As `OwnPerson`."""

    name: _Name
    names: dict[_Name, _Name] = Field(max_length=_MANY)
    above: str | None = Field(max_length=2000)
    hidden: bool


class Undo(BaseModel):
    """As `PeopleEdit`."""

    before: list[Before] = Field(max_length=_MANY)
    keys: list[_Name] = Field(max_length=_MANY)


@router.get("/people")
async def people(context: CurrentContext) -> list[dict[str, Any]]:
    """All, those who are in most photos first, each with a picture."""
    return await context.lookups.ask(_all)


@router.get("/people/with")
async def together(context: CurrentContext, name: str) -> list[dict[str, Any]]:
    """Who else is in photos of somebody, and in how many of them."""

    def look(library: Library) -> list[dict[str, Any]]:
        return [
            {"name": other, "count": count}
            for other, count in library.people.together(name)
            if asking("person", other)
        ]

    return await context.lookups.ask(look)


@router.get("/photo/{photo_id}/face")
async def face(
    context: CurrentContext,
    photo_id: int,
    area: Annotated[str, Query(max_length=100)],
    at: Annotated[float | None, Query(ge=0, le=1e6)] = None,
    v: str = "",
) -> Response:
    """The face in an area of a photo: left, top, width and height in parts of it, with commas.

    Of a video in the frame `at` so many seconds, where these are given.
    """
    try:
        sides = tuple(map(float, area.split(",")))
    except ValueError:
        sides = ()
    if len(sides) != 4 or not all(0 <= side <= 1 for side in sides) or not sides[2] * sides[3]:
        raise UsageError(f"{area!r} is no area; give left, top, width, height, as in .1,.2,.3,.3")
    found = await find_photo(context, photo_id)
    try:
        data = await context.thumbnails.face(found, (sides[0], sides[1], sides[2], sides[3]), at)
    except ShrinkError as error:
        raise HTTPException(503 if isinstance(error, LateError) else 404, str(error)) from error
    return Response(data, media_type="image/webp", headers={"cache-control": keep(found, v)})


@router.post("/people/rename")
async def rename(context: CurrentContext, wanted: Renaming) -> dict[str, Any]:
    """Show somebody by another name."""
    return await _edited(context, lambda it: it.people.rename(wanted.name, wanted.new))


@router.post("/people/merge")
async def merge(context: CurrentContext, wanted: Merging) -> dict[str, Any]:
    """Make people the same one."""
    return await _edited(context, lambda it: it.people.merge(wanted.names, wanted.into))


@router.post("/people/split")
async def split(context: CurrentContext, wanted: Splitting) -> dict[str, Any]:
    """Take a name from somebody."""
    return await _edited(context, lambda it: it.people.split(wanted.name, wanted.other))


@router.post("/people/hide")
async def hide(context: CurrentContext, wanted: Hiding) -> dict[str, Any]:
    """Leave somebody out of lists, or show them again."""
    return await _edited(context, lambda it: it.people.hide([wanted.name], wanted.hidden))


@router.post("/people/undo")
async def undo(context: CurrentContext, wanted: Undo) -> dict[str, Any]:
    """Put back what was before an edit."""
    before = tuple(OwnPerson(**one.model_dump()) for one in wanted.before)
    edit = PeopleEdit("", before, tuple(wanted.keys))
    return await _edited(context, lambda it: it.people.undo(edit))


async def _edited(
    context: CurrentContext, change: Callable[[Library], PeopleEdit]
) -> dict[str, Any]:
    """Changes people: by which name who is concerned is shown, and what undoes it."""
    edit = await context.lookups.ask(change)
    undo = {"before": [asdict(one) for one in edit.before], "keys": list(edit.keys)}
    return {"name": edit.name, "undo": undo}


def _all(library: Library) -> list[dict[str, Any]]:
    found = [(one, asking("person", one.name)) for one in library.people.all()]
    covers = {
        photo["id"]: photo
        for photo in briefs(library, [one.cover for one, _ in found if one.cover is not None])
    }
    return [
        asdict(one) | {"key": one.name, "cover": covers.get(one.cover or 0), "filter": text}
        for one, text in found
        if one.count and text
    ]
