"""Faces: whether they are looked for, whose they are, and what is not to be known of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.ui.context import Context
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import Id, briefs
from photosearch.ui.routes.indexing import Switch

router = APIRouter(prefix="/api")

_Name = Annotated[str, Field(min_length=1, max_length=400)]
_MANY = 1000
# Of groups without a name those in most photos are shown.
_GROUPS = 60


class GroupName(BaseModel):
    group: Id
    name: _Name | None


class GroupHiding(BaseModel):
    group: Id
    hidden: bool


class Answered(BaseModel):
    """With "undo" what was said is taken back."""

    group: Id
    other: Id
    answer: Literal["yes", "no", "unsure", "undo"]


class FaceName(BaseModel):
    face: Id
    name: _Name


class Refusal(BaseModel):
    ids: list[Id] = Field(min_length=1, max_length=_MANY)
    name: _Name


class Refused(BaseModel):
    # A photo may have several that were taken for one person.
    faces: list[tuple[Id, Id]] = Field(max_length=50 * _MANY)


@router.get("/faces")
async def faces(context: CurrentContext) -> dict[str, Any]:
    """Whether faces are looked for, how far that is, and who may see it."""
    return await context.lookups.ask(lambda it: _state(context, it))


@router.post("/faces/switch")
async def switch(context: CurrentContext, wanted: Switch) -> dict[str, Any]:
    """Look for faces, also in photos that come, or no longer; what was found is kept."""
    _check(context)
    await context.in_thread(context.face_pass.switch, wanted.on)
    return await context.lookups.ask(lambda it: _state(context, it))


@router.post("/faces/hold")
async def hold(context: CurrentContext, wanted: Switch) -> dict[str, Any]:
    """Look for none for now, or go on."""
    _check(context)
    await context.in_thread(context.face_pass.hold, wanted.on)
    return await context.lookups.ask(lambda it: _state(context, it))


@router.post("/faces/forget")
async def forget(context: CurrentContext) -> dict[str, Any]:
    """Drop all that was found, and look for no more; how many faces there were.

    `ordered` is the variable of the environment that says to look for them all the same, in which
    case it is held until somebody says so, or the server starts anew.
    """
    _check(context)

    def drop(library: Library) -> dict[str, Any]:
        forgotten = library.faces.forget()
        ordered = library.faces.ordered if library.faces.wanted else None
        if ordered:
            context.face_pass.hold(True)
        return {"forgotten": forgotten, "ordered": ordered}

    told = await context.change(drop)
    return told | await context.lookups.ask(lambda it: _state(context, it))


@router.get("/faces/groups")
async def groups(context: CurrentContext) -> list[dict[str, Any]]:
    """Groups of faces of which nobody has said whose they are, each with a photo."""
    return await context.lookups.ask(_nameless)


@router.post("/faces/name")
async def name_group(context: CurrentContext, wanted: GroupName) -> dict[str, Any]:
    """Say whose the faces of a group are; null takes it back."""
    _check(context)
    await context.lookups.ask(lambda it: it.faces.name(wanted.group, wanted.name))
    return {}


@router.post("/faces/name-face")
async def name_face(context: CurrentContext, wanted: FaceName) -> dict[str, Any]:
    """Say whose one face is; its group, of which that can be taken back."""
    _check(context)
    return {
        "group": await context.lookups.ask(lambda it: it.faces.name_face(wanted.face, wanted.name))
    }


@router.post("/faces/hide")
async def hide_group(context: CurrentContext, wanted: GroupHiding) -> dict[str, Any]:
    """Leave a group out of lists, or show it again."""
    _check(context)
    await context.lookups.ask(lambda it: it.faces.hide(wanted.group, wanted.hidden))
    return {}


@router.get("/faces/question")
async def question(context: CurrentContext) -> dict[str, Any]:
    """The question that is worth most, with faces of both groups, and how many there are."""
    return await context.slow.ask(_question)


@router.post("/faces/answer")
async def answer(context: CurrentContext, wanted: Answered) -> dict[str, Any]:
    """Say whether two groups are the same person's; the next question."""
    _check(context)

    def take(library: Library) -> None:
        if wanted.answer == "undo":
            library.faces.take_back(wanted.group, wanted.other)
        else:
            library.faces.answer(wanted.group, wanted.other, wanted.answer)

    await context.lookups.ask(take)
    # Which takes longer in a large library than thumbnails may wait.
    return await context.slow.ask(_question)


@router.post("/faces/refuse")
async def refuse(context: CurrentContext, wanted: Refusal) -> dict[str, Any]:
    """Say that no face in a photo is somebody's; what undoes it."""
    _check(context)
    return {"undo": await context.lookups.ask(lambda it: it.faces.refuse(wanted.ids, wanted.name))}


@router.post("/faces/accept")
async def accept(context: CurrentContext, wanted: Refused) -> dict[str, Any]:
    """Take that back."""
    _check(context)
    await context.lookups.ask(lambda it: it.faces.accept(wanted.faces))
    return {}


def _check(context: Context) -> None:
    if not context.faces:
        raise UsageError("faces are not shown to other machines; see the setting serve_faces")


def _nameless(library: Library) -> list[dict[str, Any]]:
    found = [one for one in library.faces.groups() if one.name is None and not one.hidden]
    found = found[:_GROUPS]
    covers = {photo["id"]: photo for photo in briefs(library, [one.photo for one in found])}
    return [
        {
            "group": one.id,
            "count": one.count,
            "area": one.area,
            "at": one.seconds,
            "cover": covers.get(one.photo),
        }
        for one in found
        if one.photo in covers
    ]


def _question(library: Library) -> dict[str, Any]:
    asked = library.faces.asked(1)
    if not asked.questions:
        return {"count": 0, "question": None}
    (one,), groups, faces = asked.questions, asked.groups, asked.faces
    photos = {face.photo for each in faces.values() for face in each}
    covers = {photo["id"]: photo for photo in briefs(library, sorted(photos))}
    sides = [
        {
            "id": group,
            "name": groups[group].name,
            "count": groups[group].count,
            "faces": [
                {"area": face.area, "at": face.seconds, "cover": covers[face.photo]}
                for face in faces[group]
                if face.photo in covers
            ],
        }
        for group in (one.group, one.other)
    ]
    return {"count": asked.every, "question": {"sides": sides, "photos": one.photos}}


def _state(context: Context, library: Library) -> dict[str, Any]:
    """With `allowed` whether this page may know of faces, and `shared` whether others may, too."""
    if not context.faces:
        return {"allowed": False}
    seen, found, named = library.faces.counts()
    counts = {"seen": seen, "found": found, "named": named, "photos": library.photos.in_folders()}
    edition = {"edition": library.faces.edition()}
    told = {"allowed": True, "shared": not context.local}
    return asdict(context.face_pass.now) | counts | edition | told
