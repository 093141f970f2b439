"""The read-only HTTP API. Its OpenAPI description is at /openapi.json."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError

from photosearch import __version__
from photosearch.api import answers, health, pictures, routes
from photosearch.api.metrics import Metrics
from photosearch.api.pictures import Pictures
from photosearch.api.routes import Json
from photosearch.errors import LostPlaceError, PhotoIdError, PhotosearchError, UsageError
from photosearch.fetching import NotYetError
from photosearch.logs import current_file
from photosearch.search.query import QueryError
from photosearch.serving.library_thread import BusyError, LibraryThread
from photosearch.silent_drive import NoAnswerError
from photosearch.unexpected import told

_log = logging.getLogger(__name__)


def create_app(
    library: LibraryThread,
    shown: Pictures | None = None,
    metrics: Metrics | None = None,
    prefix: str = "",
) -> FastAPI:
    """The API of `library`, which is closed with it, and the pictures `shown` of its photos.

    `prefix` is that of the paths by which a proxy in front has it, which may leave it on or off.
    """
    app = FastAPI(
        title="photosearch",
        version=__version__,
        description="Find photos on this machine by describing them. Nothing can be changed.",
        lifespan=_lifespan,
        root_path=prefix,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        default_response_class=Json,
    )
    app.state.library, app.state.pictures, app.state.metrics = library, shown, metrics
    app.include_router(health.router)
    # A path may end in anything, so what has a word after it is asked first.
    if shown is not None:
        app.include_router(pictures.router)
    app.include_router(routes.router)
    app.add_exception_handler(PhotosearchError, _refused)
    app.add_exception_handler(NoAnswerError, _silent)
    app.add_exception_handler(HTTPException, _not_had)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(Exception, _unexpected)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    if app.state.pictures is not None:
        app.state.pictures.close()
    app.state.library.close()


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, answers.UnknownPhotoError):
        return Json({"error": str(error)}, 404)
    if isinstance(error, NotYetError):
        return Json({"error": str(error)}, 503, {"retry-after": str(error.seconds)})
    if isinstance(error, BusyError):
        return Json({"error": str(error)}, 429, {"retry-after": str(error.seconds)})
    body: dict[str, Any] = {"error": str(error)}
    if isinstance(error, QueryError):
        body["position"] = error.position
    if isinstance(error, PhotoIdError):
        return Json(body, 422)
    if isinstance(error, LostPlaceError):
        return Json(body, 410)
    return Json(body, 400 if isinstance(error, UsageError) else 500)


async def _silent(_: Request, error: Exception) -> Response:
    """A drive that does not answer, which may be otherwise in a while."""
    assert isinstance(error, NoAnswerError)
    return Json({"error": error.told}, 503, {"retry-after": "60"})


async def _not_had(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Json({"error": error.detail}, error.status_code, error.headers)


async def _unexpected(_: Request, error: Exception) -> Response:
    """What nobody expected; the server logs it after this."""
    _log.error("an answer failed", extra={"told": True})
    return Json({"error": f"{told(error, current_file())}."}, 500)


async def _wrong(_: Request, error: Exception) -> Response:
    """A parameter of the wrong kind, named."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return Json({"error": f"{name}: {first['msg']}"}, 400)
