"""Our own errors, as the page's scripts are told of them."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from photosearch.errors import PhotoIdError, PhotosearchError, UsageError
from photosearch.search.query import QueryError
from photosearch.silent_drive import NoAnswerError


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


async def wrong(_: Request, error: Exception) -> Response:
    """What was sent is of the wrong kind. It is not sent back: it need not even be text."""
    assert isinstance(error, RequestValidationError)
    said = [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]
    # In ASCII: a lone surrogate in a name cannot be sent otherwise.
    content = json.dumps({"detail": said}).encode("ascii")
    return Response(content, 422, media_type="application/json")


HANDLERS: dict[int | type[Exception], Any] = {
    PhotosearchError: refused,
    NoAnswerError: silent,
    RequestValidationError: wrong,
}
