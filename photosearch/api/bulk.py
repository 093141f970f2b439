"""Many searches in one request. Each takes its turn, so that others are answered in between."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from photosearch.api import answers
from photosearch.api.parameters import filter_fields
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.search.filters import Filters
from photosearch.search.query import QueryError
from photosearch.serving.library_thread import LibraryThread

# So that an answer stays of a size that can be read at once.
MOST, MOST_HITS = 100, 100


class _View(BaseModel):
    """Which photos of those found, as for a single search."""

    model_config = ConfigDict(extra="forbid")

    q: str = ""
    limit: Annotated[int, Field(ge=1, le=MOST_HITS)] = 20
    offset: Annotated[int, Field(ge=0)] = 0
    cursor: str | None = None
    sort: Literal["relevance", "newest", "oldest"] = "relevance"
    group: Literal["day", "event"] | None = None
    collapse: bool = False
    everything: bool = False
    saved: str | None = None
    locale: str = ""


Search: Any = create_model("Search", __base__=_View, **filter_fields())


class Searches(BaseModel):
    """Searches, each with the parameters of a single one."""

    model_config = ConfigDict(extra="forbid")

    searches: Annotated[list[Search], Field(min_length=1, max_length=MOST)]


async def answered(library: LibraryThread, body: Searches, locale: str) -> list[dict[str, Any]]:
    """An answer to each of the searches, in their order; `error` in it where there is none.

    Raises `BusyError` when too many others wait, before anything is done.
    """
    found = []
    for number, search in enumerate(body.searches):
        view = search.model_dump(include=_View.model_fields.keys())
        given = search.model_dump(exclude=_View.model_fields.keys(), exclude_none=True)
        view["locale"] = view["locale"] or locale

        def answer(
            it: Library, view: dict[str, Any] = view, given: dict[str, Any] = given
        ) -> dict[str, Any]:
            asked = dict(view)
            try:
                return answers.search(it, asked.pop("q"), filters=Filters(**given), **asked)
            except QueryError as error:
                return {"error": str(error), "position": error.position}
            except UsageError as error:
                return {"error": str(error)}

        # What has begun is not given up: all of it would have to be done anew.
        found.append(await library.ask(answer, admitted=number > 0))
    return found
