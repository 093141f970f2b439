"""The read-only HTTP API. Its OpenAPI description is at /openapi.json."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response, UploadFile
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError

from photosearch import __version__
from photosearch.api import answers, schemas
from photosearch.errors import PhotoIdError, PhotosearchError, UsageError
from photosearch.search.dates.locales import accepted_tag
from photosearch.search.filters import Filters
from photosearch.search.query import QueryError
from photosearch.ui.desk import Desk

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.Refused, "description": "The query cannot be understood."},
    401: {"model": schemas.Refused, "description": "The token is missing or wrong."},
    422: {"model": schemas.Refused, "description": "A number that no photo has as its id."},
}
_LOCALE = "as in en-GB: how dates are read; without it, the header Accept-Language says"
_NOT_THERE: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.Refused, "description": "There is no such photo."},
    422: {"model": schemas.Refused, "description": "A number that no photo has as its id."},
}


_PhotoName = Annotated[str, PathParameter(description="an id, photo:ID, or an absolute path")]


class _Json(Response):
    """JSON in ASCII: a path that is not text has lone surrogates in it, which UTF-8 has not."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode("ascii")


def _filters(
    before: Annotated[str | None, Query(description="taken before this date")] = None,
    after: Annotated[str | None, Query(description="taken after this date")] = None,
    since: Annotated[str | None, Query(description="taken on this date or later")] = None,
    until: Annotated[str | None, Query(description="taken on this date or earlier")] = None,
    on: Annotated[str | None, Query(description="a day, month, season or year")] = None,
    year: Annotated[str | None, Query(description="2021, or 2019-2021")] = None,
    month: Annotated[str | None, Query(description="may, or 5")] = None,
    near: Annotated[str | None, Query(description="Rome, or 41.9,12.5,10km")] = None,
    place: Annotated[list[str] | None, Query(description="a city, region or country")] = None,
    camera: Annotated[list[str] | None, Query(description="part of its name")] = None,
    lens: Annotated[list[str] | None, Query(description="part of its name")] = None,
    folder: Annotated[list[str] | None, Query(description="a name, or an absolute path")] = None,
    type: Annotated[list[str] | None, Query(description="jpeg, heic, raw, video, ...")] = None,
    rating: Annotated[str | None, Query(description="4, >=4 or 3-5")] = None,
    shape: Annotated[
        list[Literal["portrait", "landscape", "square", "panorama"]] | None, Query()
    ] = None,
    has_gps: bool | None = None,
    has_date: bool | None = None,
    file_date: Annotated[
        bool | None, Query(description="without a date; dates then mean that of the file")
    ] = None,
    keyword: Annotated[list[str] | None, Query(description="a whole one, or one above it")] = None,
    video: bool | None = None,
    words: Annotated[list[str] | None, Query(description="in name, caption or keywords")] = None,
) -> Filters:
    """The filters of the box, as parameters."""
    return Filters(
        before=before,
        after=after,
        since=since,
        until=until,
        on=on,
        year=year,
        month=month,
        near=near,
        place=place,
        camera=camera,
        lens=lens,
        folder=folder,
        type=type,
        rating=rating,
        shape=shape,
        has_gps=has_gps,
        has_date=has_date,
        file_date=file_date,
        keyword=keyword,
        video=video,
        words=words,
    )


def _view(
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
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
        "sort": sort,
        "group": group,
        "collapse": collapse,
        "everything": everything,
        "saved": saved,
        "locale": locale or accepted_tag(accept_language),
    }


def create_app(desk: Desk) -> FastAPI:
    """The API of the library at `desk`, which is closed with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="photosearch",
        version=__version__,
        description="Find photos on this machine by describing them. Nothing can be changed.",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        default_response_class=_Json,
    )

    @app.get("/v1/search", responses={200: {"model": schemas.Found}, **_REFUSED})
    async def search(
        filters: Annotated[Filters, Depends(_filters)],
        view: Annotated[dict[str, Any], Depends(_view)],
        q: Annotated[str, Query(description="the search box; docs/search.md")] = "",
    ) -> Response:
        """Photos that fit a text and filters, best first."""
        return _Json(await desk.ask(lambda it: answers.search(it, q, filters=filters, **view)))

    @app.post("/v1/search", responses={200: {"model": schemas.Found}, **_REFUSED})
    async def search_by_pictures(
        images: list[UploadFile],
        filters: Annotated[Filters, Depends(_filters)],
        view: Annotated[dict[str, Any], Depends(_view)],
        q: Annotated[str, Query(description="image:1 is the first picture")] = "",
    ) -> Response:
        """Photos that are like pictures sent along, and fit a text and filters."""
        pictures = [await image.read() for image in images]
        return _Json(
            await desk.ask(
                lambda it: answers.search(it, q, filters=filters, images=pictures, **view)
            )
        )

    @app.get("/v1/understand", responses={200: {"model": schemas.Understood}, **_REFUSED})
    async def understand(
        q: str,
        locale: Annotated[str, Query(description=_LOCALE)] = "",
        accept_language: Annotated[str, Header()] = "",
    ) -> Response:
        """What a text is taken for, without searching."""
        where = locale or accepted_tag(accept_language)
        return _Json(await desk.ask(lambda it: answers.understand(it, q, where)))

    # A path may end in anything, so this one is asked first.
    @app.get(
        "/v1/photos/{photo:path}/similar",
        responses={200: {"model": schemas.Found}, **_REFUSED, **_NOT_THERE},
    )
    async def similar(
        photo: _PhotoName,
        filters: Annotated[Filters, Depends(_filters)],
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        offset: Annotated[int, Query(ge=0)] = 0,
        collapse: bool = False,
    ) -> Response:
        """The photos that look most like one, without itself."""
        view = {"limit": limit, "offset": offset, "collapse": collapse}
        return _Json(await desk.ask(lambda it: answers.similar(it, photo, filters=filters, **view)))

    @app.get("/v1/photos/{photo:path}", responses={200: {"model": schemas.Details}, **_NOT_THERE})
    async def photo(photo: _PhotoName) -> Response:
        """All that is known of a photo."""
        return _Json(await desk.ask(lambda it: answers.photo(it, photo)))

    @app.get("/v1/saved", responses={200: {"model": schemas.Saved}})
    async def saved() -> Response:
        """The saved searches."""
        return _Json(await desk.ask(answers.saved))

    @app.get("/v1/status", responses={200: {"model": schemas.State}})
    async def status() -> Response:
        """What the library holds."""
        return _Json(await desk.ask(answers.status))

    app.add_exception_handler(PhotosearchError, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, answers.UnknownPhotoError):
        return _Json({"error": str(error)}, 404)
    body: dict[str, Any] = {"error": str(error)}
    if isinstance(error, QueryError):
        body["position"] = error.position
    if isinstance(error, PhotoIdError):
        return _Json(body, 422)
    return _Json(body, 400 if isinstance(error, UsageError) else 500)


async def _wrong(_: Request, error: Exception) -> Response:
    """A parameter of the wrong kind, named."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return _Json({"error": f"{name}: {first['msg']}"}, 400)
