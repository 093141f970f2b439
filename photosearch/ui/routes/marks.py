"""Ratings and keywords of the user's own. What changes them answers with what undoes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from index import Mark
from photosearch.described import marked
from photosearch.library import Library
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import MANY, Id

router = APIRouter(prefix="/api")

# Of many photos the most frequent keywords are shown.
_SHOWN = 60


class Photos(BaseModel):
    ids: list[Id] = Field(max_length=MANY)


class Rating(Photos):
    """0 to 5 stars, or null for those of the files."""

    stars: int | None = Field(ge=0, le=5)


class Keywords(Photos):
    """Keywords to put on photos, and to take off them; all that was changed is first taken back
    with `clear`.
    """

    add: list[str] = Field(default=[], max_length=100)
    remove: list[str] = Field(default=[], max_length=100)
    clear: bool = False


class Marked(Photos):
    """Photos that have the same mark."""

    stars: int | None = Field(ge=0, le=5)
    added: list[str] = Field(max_length=1000)
    removed: list[str] = Field(max_length=1000)


class Undo(BaseModel):
    marks: list[Marked] = Field(max_length=MANY)


@router.post("/rating")
async def rate(context: CurrentContext, wanted: Rating) -> dict[str, Any]:
    """Give photos stars."""

    def change(library: Library, ids: Sequence[int]) -> None:
        library.marks.rate(ids, wanted.stars)

    return await context.lookups.ask(lambda it: _changed(it, wanted.ids, change))


@router.post("/keywords")
async def tag(context: CurrentContext, wanted: Keywords) -> dict[str, Any]:
    """Put keywords on photos, and take others off them."""

    def change(library: Library, ids: Sequence[int]) -> None:
        if wanted.clear:
            library.marks.clear_keywords(ids)
        library.marks.tag(ids, add=wanted.add, remove=wanted.remove)

    return await context.lookups.ask(lambda it: _changed(it, wanted.ids, change))


@router.post("/marks")
async def put(context: CurrentContext, wanted: Undo) -> dict[str, Any]:
    """Put the marks of before back in their place."""
    marks = {
        one: Mark(each.stars, tuple(each.added), tuple(each.removed))
        for each in wanted.marks
        for one in each.ids
    }

    def change(library: Library, ids: Sequence[int]) -> None:
        library.marks.put({one: marks[one] for one in ids})

    return await context.lookups.ask(lambda it: _changed(it, list(marks), change))


@router.get("/keywords")
async def keywords(context: CurrentContext, start: str = "") -> list[str]:
    """Keywords of the library in which a word begins so."""
    return await context.lookups.ask(lambda it: it.marks.keywords(start[:100], limit=12))


@router.post("/keywords/of")
async def of(context: CurrentContext, wanted: Photos) -> list[dict[str, Any]]:
    """The keywords of these photos, the most frequent first, with how many have each."""

    def look(library: Library) -> list[dict[str, Any]]:
        known = library.photos.metadata(wanted.ids).values()
        counts = Counter(word for one in known for word in one.keywords if "|" not in word)
        return [{"keyword": word, "count": count} for word, count in counts.most_common(_SHOWN)]

    return await context.lookups.ask(look)


def _changed(
    library: Library, wanted: Sequence[int], change: Callable[[Library, Sequence[int]], None]
) -> dict[str, Any]:
    """Changes those of the photos that are still there; what undoes it, and of a single photo what
    counts then.
    """
    ids = [one.id for one in library.photos.files(wanted)]
    before = library.marks.of(ids)
    change(library, ids)
    alike: dict[Mark, list[int]] = defaultdict(list)
    for one in ids:
        alike[before.get(one, Mark())].append(one)
    answer: dict[str, Any] = {"undo": [{"ids": each, **vars(mark)} for mark, each in alike.items()]}
    if len(ids) == 1:
        answer |= marked(library.photos.about(ids[0]))
    return answer
