"""Photos that are there more than once, as the page's scripts are told of them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from photosearch.library import Library
from photosearch.search.duplicates import Duplicates, still_there
from photosearch.ui.context import Context
from photosearch.ui.photos import brief, shown


def router(context: Context) -> APIRouter:
    """The route, for one library. Nothing is deleted, here or anywhere else."""
    api = APIRouter(prefix="/api")
    # The first page looks; those that follow go on in what it found.
    found: dict[bool, list[Duplicates]] = {}

    @api.get("/duplicates")
    async def duplicates(near: bool = False, offset: int = 0, limit: int = 50) -> dict[str, Any]:
        """A part of the groups, those that take most space first; with `near` it takes a while."""
        offset, limit = max(0, offset), max(1, min(limit, 200))
        if not offset or near not in found:
            found[near] = await context.thinker.ask(lambda it: _look(it, near))
        every = found[near]
        # Files that went since are not told of; the page asks again when it is opened.
        shown_now = await asyncio.to_thread(
            lambda: [still_there(one) for one in every[offset : offset + limit]]
        )
        return {
            "groups": [_told(one) for one in shown_now if one is not None],
            "more": offset + limit < len(every),
            "next": offset + limit,
            "spare": sum(len(one.photos) - 1 for one in every),
            "spare_bytes": sum(one.spare_bytes for one in every),
        }

    return api


def _look(library: Library, near: bool) -> list[Duplicates]:
    """As recorded and looked up on disk; to read all files would take as long as to copy them."""
    told = library.duplicates(near_too=near, read=False)
    found = [each for each in told if isinstance(each, Duplicates)]
    return sorted(found, key=lambda each: -each.spare_bytes)


def _told(one: Duplicates) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "similarity": one.similarity,
        "spare_bytes": one.spare_bytes,
        "photos": [
            brief(photo)
            | {"path": shown(photo.path), "bytes": photo.stamp.size, "missing": photo.missing}
            for photo in one.photos
        ],
    }
