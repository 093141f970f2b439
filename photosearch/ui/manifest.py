"""What a browser needs to install the page as an app: the web app manifest, and icons."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from photosearch.shipped import asset
from photosearch.ui.dependencies import CurrentContext
from photosearch.ui.scripts import accepted_language

# By name: the side in pixels, and what it is for.
ICONS = {
    "photosearch-192.png": (192, "any"),
    "photosearch.png": (512, "any"),
    "photosearch-maskable.png": (512, "maskable"),
}

router = APIRouter()


@router.get("/manifest.webmanifest")
async def manifest(context: CurrentContext, request: Request) -> Response:
    """The manifest; where there is a window of our own there is none."""
    if context.window is not None:
        raise HTTPException(404, "There is nothing to install.")
    texts = request.app.state.texts
    language = accepted_language(texts, request.headers.get("accept-language", ""))
    # Relative to the manifest, so that a proxy may have it all below a path.
    content: dict[str, Any] = {
        "name": "photosearch",
        "short_name": "photosearch",
        "description": texts[language]["welcome.title"],
        "lang": language,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#fbfaf8",
        "theme_color": "#fbfaf8",
        "icons": [
            {
                "src": f"icons/{name}",
                "sizes": f"{side}x{side}",
                "type": "image/png",
                "purpose": purpose,
            }
            for name, (side, purpose) in ICONS.items()
        ],
    }
    return JSONResponse(
        content,
        media_type="application/manifest+json",
        headers={"cache-control": "no-cache", "vary": "accept-language"},
    )


@router.get("/icons/{name}")
async def icon(name: str) -> Response:
    """One of the icons, by name."""
    if name not in ICONS:
        raise HTTPException(404, "There is no such file.")
    headers = {"cache-control": "public, max-age=86400"}
    return FileResponse(asset("icons", name), headers=headers)
