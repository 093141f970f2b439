"""What can be asked: searches, photos, and what the library holds. Nothing is changed."""

# Annotations are not postponed: those of a route are made of the filters that there are.

import json
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Header, Query, Request, Response, UploadFile

from photosearch.api import answers, bulk, schemas
from photosearch.api.parameters import PhotoName, filter_parameters
from photosearch.library import Library
from photosearch.search.dates.locales import accepted_tag
from photosearch.search.filters import Filters
from photosearch.search.report import VERSION
from photosearch.serving.library_thread import LibraryThread

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.Refused, "description": "The query cannot be understood."},
    401: {"model": schemas.Refused, "description": "The token is missing or wrong."},
    422: {"model": schemas.Refused, "description": "A number that no photo has as its id."},
}
_LOCALE = "as in en-GB: how dates are read; without it, the header Accept-Language says"
_CURSOR = "`next` of the page before; the other parameters stay as they were"
_NOT_THERE: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.Refused, "description": "There is no such photo."},
    422: {"model": schemas.Refused, "description": "A number that no photo has as its id."},
}


class Json(Response):
    """JSON in ASCII: a path that is not text has lone surrogates in it, which UTF-8 has not."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode("ascii")


def _view(
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    cursor: Annotated[str | None, Query(description=_CURSOR)] = None,
    sort: Literal["relevance", "newest", "oldest"] = "relevance",
    group: Literal["day", "event"] | None = None,
    collapse: bool = False,
    everything: Annotated[
        bool, Query(description="also photos that do not look like the text")
    ] = False,
    saved: Annotated[
        str | None, Query(description="a saved search, to which the text is added")
    ] = None,
    locale: Annotated[str, Query(description=_LOCALE)] = "",
    accept_language: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Which photos of those found, in which order."""
    return {
        "limit": limit,
        "offset": offset,
        "cursor": cursor,
        "sort": sort,
        "group": group,
        "collapse": collapse,
        "everything": everything,
        "saved": saved,
        "locale": locale or accepted_tag(accept_language),
    }


# Not a plain function: FastAPI would call that on another thread, for each request.
async def library_of(request: Request) -> LibraryThread:
    """The library of the application that was asked."""
    library: LibraryThread = request.app.state.library
    return library


AskedFilters: TypeAlias = Annotated[Filters, Depends(filter_parameters())]
OpenLibrary: TypeAlias = Annotated[LibraryThread, Depends(library_of)]

router = APIRouter()


@router.get("/v1/search", responses={200: {"model": schemas.Found}, **_REFUSED})
async def search(
    library: OpenLibrary,
    filters: AskedFilters,
    view: Annotated[dict[str, Any], Depends(_view)],
    q: Annotated[str, Query(description="the search box; docs/search.md")] = "",
) -> Response:
    """Photos that fit a text and filters, best first."""
    return Json(await library.ask(lambda it: answers.search(it, q, filters=filters, **view)))


@router.post("/v1/search", responses={200: {"model": schemas.Found}, **_REFUSED})
async def search_by_pictures(
    library: OpenLibrary,
    images: list[UploadFile],
    filters: AskedFilters,
    view: Annotated[dict[str, Any], Depends(_view)],
    q: Annotated[str, Query(description="image:1 is the first picture")] = "",
) -> Response:
    """Photos that are like pictures sent along, and fit a text and filters."""

    def answer(it: Library) -> dict[str, Any]:
        # Only now: of all that wait for their turn the pictures stay on the disk.
        pictures = [image.file.read() for image in images]
        return answers.search(it, q, filters=filters, images=pictures, **view)

    return Json(await library.ask(answer))


@router.post("/v1/searches", responses={200: {"model": schemas.Several}, **_REFUSED})
async def several_searches(
    library: OpenLibrary,
    body: bulk.Searches,
    accept_language: Annotated[str, Header()] = "",
) -> Response:
    """Many searches in one request: an answer to each, in their order, or why there is none."""
    locale = accepted_tag(accept_language)
    return Json({"version": VERSION, "answers": await bulk.answered(library, body, locale)})


@router.get(
    "/v1/changes",
    responses={
        200: {"model": schemas.Changes},
        410: {"model": schemas.Refused, "description": "Begin anew, without `since`."},
    },
)
async def changes(
    library: OpenLibrary,
    since: Annotated[
        str | None, Query(description='`next` of the answer before, or "now" to begin with it')
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """Which photos came, changed or went, for programs that follow; first all of them."""
    return Json(await library.ask(lambda it: answers.changes(it, since, limit)))


@router.get("/v1/understand", responses={200: {"model": schemas.Understood}, **_REFUSED})
async def understand(
    library: OpenLibrary,
    q: str,
    locale: Annotated[str, Query(description=_LOCALE)] = "",
    accept_language: Annotated[str, Header()] = "",
) -> Response:
    """What a text is taken for, without searching."""
    where = locale or accepted_tag(accept_language)
    return Json(await library.ask(lambda it: answers.understand(it, q, where)))


# A path may end in anything, so this one is asked first.
@router.get(
    "/v1/photos/{photo:path}/similar",
    responses={200: {"model": schemas.Found}, **_REFUSED, **_NOT_THERE},
)
async def similar(
    library: OpenLibrary,
    photo: PhotoName,
    filters: AskedFilters,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    cursor: Annotated[str | None, Query(description=_CURSOR)] = None,
    collapse: bool = False,
) -> Response:
    """The photos that look most like one, without itself."""
    view: dict[str, Any] = {
        "limit": limit,
        "offset": offset,
        "cursor": cursor,
        "collapse": collapse,
    }
    return Json(await library.ask(lambda it: answers.similar(it, photo, filters=filters, **view)))


@router.get("/v1/photos/{photo:path}", responses={200: {"model": schemas.Details}, **_NOT_THERE})
async def photo(library: OpenLibrary, photo: PhotoName) -> Response:
    """All that is known of a photo."""
    return Json(await library.ask(lambda it: answers.photo(it, photo)))


@router.get("/v1/people", responses={200: {"model": schemas.People}})
async def people(library: OpenLibrary) -> Response:
    """Who is in the photos, by name, those who are in most first."""
    return Json(await library.ask(answers.people))


@router.get("/v1/saved", responses={200: {"model": schemas.Saved}})
async def saved(library: OpenLibrary) -> Response:
    """The saved searches."""
    return Json(await library.ask(answers.saved))


@router.get("/v1/status", responses={200: {"model": schemas.State}})
async def status(library: OpenLibrary) -> Response:
    """What the library holds."""
    return Json(await library.ask(answers.status))
