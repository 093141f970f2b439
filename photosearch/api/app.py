"""The read-only HTTP API. Its OpenAPI description is at /openapi.json."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from photosearch import __version__
from photosearch.api import answers, routes
from photosearch.api.routes import Json
from photosearch.errors import PhotoIdError, PhotosearchError, UsageError
from photosearch.logs import current_file
from photosearch.search.query import QueryError
from photosearch.serving.library_thread import LibraryThread
from photosearch.unexpected import told

_log = logging.getLogger(__name__)


def create_app(library: LibraryThread) -> FastAPI:
    """The API of `library`, which is closed with it."""
    app = FastAPI(
        title="photosearch",
        version=__version__,
        description="Find photos on this machine by describing them. Nothing can be changed.",
        lifespan=_lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        default_response_class=Json,
    )
    app.state.library = library
    app.include_router(routes.router)
    app.add_exception_handler(PhotosearchError, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(Exception, _unexpected)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.library.close()


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, answers.UnknownPhotoError):
        return Json({"error": str(error)}, 404)
    body: dict[str, Any] = {"error": str(error)}
    if isinstance(error, QueryError):
        body["position"] = error.position
    if isinstance(error, PhotoIdError):
        return Json(body, 422)
    return Json(body, 400 if isinstance(error, UsageError) else 500)


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
