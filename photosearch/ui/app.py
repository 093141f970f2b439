"""The application: the page by Gradio, the routes of its scripts, and the guard before both."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

# Before Gradio is imported: it would report its use, look for newer versions of itself, and keep a
# history of what was done in the browser.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_RUN_HISTORY"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from photosearch.hosts import is_loopback
from photosearch.ui import security
from photosearch.ui.care import router as care_router
from photosearch.ui.context import Context
from photosearch.ui.copies import router as copies_router
from photosearch.ui.frame import Frame
from photosearch.ui.login import login_page
from photosearch.ui.page import mount_page
from photosearch.ui.routes import HANDLERS, router, static_file
from photosearch.ui.shelves import router as shelves_router

TEXTS = Path(__file__).parent / "texts"


def texts() -> dict[str, dict[str, str]]:
    """What the pages say, by language."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(TEXTS.glob("*.json"))
    }


def create_app(
    context: Context,
    *,
    host: str = "127.0.0.1",
    names: Iterable[str] = (),
    password: str | None = None,
) -> security.App:
    """The application for a server bound to `host`; other names of it are `names`.

    With a `password` every browser has to give it once.
    """
    if password is None and not is_loopback(host):
        raise ValueError("where other machines can connect a password is needed")
    sessions = None if password is None else security.Sessions(password)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers=HANDLERS)
    app.include_router(router(context))
    app.include_router(shelves_router(context))
    app.include_router(care_router(context))
    app.include_router(copies_router(context))
    every = texts()

    @app.get("/ui/texts.json")
    async def all_texts() -> Response:
        return JSONResponse(every, headers={"cache-control": "no-cache"})

    @app.get("/ui/{name}")
    async def static(name: str) -> Response:
        return static_file(name)

    @app.get("/login")
    async def ask(request: Request) -> Response:
        if sessions is None:
            return _to("/")
        return HTMLResponse(login_page(every, request.headers.get("accept-language", "")))

    @app.post("/login")
    async def login(request: Request, password: str = Form("")) -> Response:
        if sessions is None:
            return _to("/")
        name = sessions.begin(password)
        if name is None:
            wait = max(1, round(sessions.wait()))
            page = login_page(every, request.headers.get("accept-language", ""), wrong=True)
            return HTMLResponse(page, 429, {"retry-after": str(wait)})
        return _to("/", {"set-cookie": security.cookie_for(name)})

    mount_page(app, every)
    return security.Guard(Frame(app), host=host, names=names, sessions=sessions)


def _to(path: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status_code=303, headers={"location": path, **(headers or {})})
