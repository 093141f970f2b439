"""The application: the page by Gradio, the routes of its scripts, and the guard before both."""

from __future__ import annotations

import os
from collections.abc import Iterable

# Before Gradio is imported: it would report its use, and look for newer versions of itself.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# What the user says of the hub goes on counting for the processes that download.
os.environ.setdefault("_HF_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", ""))
os.environ["HF_HUB_OFFLINE"] = "1"

from fastapi import FastAPI

from photosearch.serving import page_guard
from photosearch.serving.hosts import is_loopback
from photosearch.serving.own_secret import OwnerKey
from photosearch.ui import login, manifest, scripts
from photosearch.ui.context import Context
from photosearch.ui.errors import HANDLERS
from photosearch.ui.frame import Frame
from photosearch.ui.gradio_files import KeptFiles
from photosearch.ui.page import mount_page
from photosearch.ui.routes import ROUTERS


def create_app(
    context: Context,
    *,
    host: str = "127.0.0.1",
    names: Iterable[str] = (),
    password: str | None = None,
    key: str | None = None,
) -> page_guard.App:
    """The application for a server bound to `host`; other names of it are `names`.

    With a `password` every browser has to give it once; with a `key` that is in the link by which
    the page is opened.
    """
    if password is None and not is_loopback(host):
        raise ValueError("where other machines can connect a password is needed")
    sessions: page_guard.Sessions | OwnerKey | None = None
    if password is not None:
        sessions = page_guard.Sessions(password)
    elif key is not None:
        sessions = OwnerKey(key)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers=HANDLERS)
    app.state.context, app.state.sessions, app.state.texts = context, sessions, scripts.texts()
    for router in (*ROUTERS, scripts.router, login.router, manifest.router):
        app.include_router(router)
    mount_page(app, app.state.texts)
    frame = Frame(KeptFiles(app), installable=context.window is None)
    return page_guard.Guard(frame, host=host, names=names, sessions=sessions)
