"""Our own errors, as the page's scripts are told of them."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from photosearch.errors import PhotoIdError, PhotosearchError, UsageError
from photosearch.fetching import NotYetError
from photosearch.logs import current_file
from photosearch.search.query import QueryError
from photosearch.silent_drive import NoAnswerError
from photosearch.unexpected import told

_log = logging.getLogger(__name__)


async def refused(_: Request, error: Exception) -> Response:
    """Our own errors as JSON; their message is fit for the user."""
    status = 400 if isinstance(error, UsageError) else 500
    if isinstance(error, PhotoIdError):
        status = 422
    content: dict[str, Any] = {"error": str(error)}
    if isinstance(error, QueryError):
        content |= {"error": error.reason, "position": error.position}
    return JSONResponse(content, status)


async def silent(_: Request, error: Exception) -> Response:
    """A drive that does not answer, which may be otherwise in a while."""
    assert isinstance(error, NoAnswerError)
    return JSONResponse({"error": error.told}, 503, {"retry-after": "60"})


async def not_yet(_: Request, error: Exception) -> Response:
    """Much of an archive is fetched first, for which the page waits."""
    assert isinstance(error, NotYetError)
    content = {"error": str(error), "again": error.told}
    return JSONResponse(content, 503, {"retry-after": str(error.seconds)})


async def wrong(_: Request, error: Exception) -> Response:
    """Something of the wrong kind or outside its range, named; what was given is not repeated."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    # In ASCII: a lone surrogate in a name cannot be sent otherwise.
    content = json.dumps({"error": f"{name}: {first['msg']}"}).encode("ascii")
    return Response(content, 422, media_type="application/json")


async def unexpected(_: Request, error: Exception) -> Response:
    """What nobody expected; the server logs it after this."""
    _log.error("an answer failed", extra={"told": True})
    return JSONResponse({"error": f"{told(error, current_file())}."}, 500)


HANDLERS: dict[int | type[Exception], Any] = {
    PhotosearchError: refused,
    NoAnswerError: silent,
    NotYetError: not_yet,
    RequestValidationError: wrong,
    Exception: unexpected,
}
