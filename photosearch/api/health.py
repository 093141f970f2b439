"""For whoever runs the server: that it runs, and how it fares."""

from fastapi import APIRouter, HTTPException, Request, Response

from photosearch.api.metrics import Metrics
from photosearch.api.routes import Json, OpenLibrary

# Answered without a token: it tells nothing of the library.
PATH = "/healthz"
router = APIRouter()


@router.get(PATH)
async def health() -> Response:
    """That the server answers, also while it has too much to do for more searches."""
    return Json({"status": "ok"})


@router.get("/metrics")
async def metrics(request: Request, library: OpenLibrary) -> Response:
    """Numbers in the text format of Prometheus, where the server was started with --metrics."""
    known: Metrics | None = request.app.state.metrics
    if known is None:
        raise HTTPException(404, "start photosearch serve with --metrics to have these")
    text, kind = await known.text(library)
    return Response(text, media_type=kind)
