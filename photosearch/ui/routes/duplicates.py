"""Photos that are there more than once. Nothing is deleted, here or anywhere else."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from photosearch.search.duplicates import Duplicates, still_there
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import brief, shown

router = APIRouter(prefix="/api")


@router.get("/duplicates")
async def duplicates(
    context: CurrentContext, near: bool = False, offset: int = 0, limit: int = 50
) -> dict[str, Any]:
    """A part of the groups, those that take most space first; with `near` it takes a while."""
    offset, limit = max(0, offset), max(1, min(limit, 200))
    # The first page looks; those that follow go on in what it found.
    every = await context.copies.look(near, anew=not offset)
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
