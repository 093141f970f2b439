"""What a window of our own can do: choose a folder, come forward, close."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from photosearch.errors import UsageError
from photosearch.ui.dependencies import CurrentContext

router = APIRouter(prefix="/api")


class Secret(BaseModel):
    secret: str


@router.post("/choose-folder")
async def choose(context: CurrentContext) -> dict[str, Any]:
    """Let the user choose a folder in the system's dialog, where there is one."""
    if context.window is None:
        return {"native": False}
    there, folder = await context.in_thread(context.window.choose_folder)
    return {"native": there, "folder": folder}


@router.post("/show")
async def forward(context: CurrentContext, wanted: Secret) -> dict[str, Any]:
    """Bring the window forward, for another start of the app."""
    window = context.window
    if window is None or not hmac.compare_digest(wanted.secret, window.secret):
        raise HTTPException(404, "There is no window.")
    await context.in_thread(window.show)
    return {}


@router.post("/quit")
async def leave(context: CurrentContext) -> dict[str, Any]:
    """Close the window, and end."""
    if context.window is None:
        raise UsageError("this server ends where it was started, with Ctrl-C")
    context.window.quit()
    return {}
