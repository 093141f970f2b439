"""The shelves of the start page: a few of each, and all in one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from index.catalogue.albums import FAVOURITES
from photosearch.library import Library
from photosearch.search.lexicon import asking
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.photos import briefs, listed_brief

router = APIRouter(prefix="/api")

# Years, trips, favourites and people on a shelf.
_YEARS, _TRIPS, _FAVOURITES, _PEOPLE = 8, 12, 20, 20


@router.get("/start")
async def start(
    context: CurrentContext, today: Annotated[date | None, Query()] = None
) -> dict[str, Any]:
    """What is on each shelf; `today` is the day where the page is looked at."""
    day = today or date.today()
    # One by one, so that pictures that the page asks for meanwhile need not wait for all.
    ask = context.lookups.ask
    return {
        "anniversaries": await ask(lambda it: _anniversaries(it, day)),
        "trips": await ask(_trips),
        "saved": [asdict(one) for one in await ask(lambda it: it.saved.all())],
        "favourites": await ask(_favourites),
        "people": await ask(_people),
    }


def _anniversaries(library: Library, today: date) -> dict[str, Any]:
    found = library.photos.anniversaries(today)
    years = found.years[:_YEARS]
    photos = _by_id(library, [photo for year in years for photo in year.photos])
    return {
        "around": found.around,
        "years": [
            {
                "years": one.years,
                "count": one.count,
                "text": _on(one.first, one.last),
                "photos": [photos[photo] for photo in one.photos if photo in photos],
            }
            for one in years
        ],
    }


def _trips(library: Library) -> list[dict[str, Any]]:
    found = library.photos.trips()[:_TRIPS]
    covers = _by_id(library, [one.cover for one in found])
    return [
        asdict(one) | {"cover": covers.get(one.cover), "text": _on(one.first, one.last)}
        for one in found
    ]


def _favourites(library: Library) -> list[dict[str, Any]]:
    found = library.photos.browse("album", str(FAVOURITES), limit=_FAVOURITES)
    return [listed_brief(photo) for photo in found]


def _people(library: Library) -> list[dict[str, Any]]:
    shown = (one for one in library.people.all() if one.count and not one.hidden)
    asked = [(one, text) for one in shown if (text := asking("person", one.name))][:_PEOPLE]
    covers = _by_id(library, [one.cover for one, _ in asked if one.cover is not None])
    return [
        asdict(one) | {"cover": covers.get(one.cover or 0), "text": text} for one, text in asked
    ]


def _by_id(library: Library, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    return {photo["id"]: photo for photo in briefs(library, ids)}


def _on(first: str, last: str) -> str:
    """What is typed to find all photos of these days."""
    return f"on:{first}" if first == last else f"on:{first}..{last}"
