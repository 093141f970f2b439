"""Our own scripts and styles, the texts that they show, and what they draw maps with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from photosearch.shipped import asset

STATIC = Path(__file__).parent / "static"
TEXTS = Path(__file__).parent / "texts"
# What the server says, by its English, in the other languages.
MESSAGES = Path(__file__).parent / "messages"
# Those that others build upon, in this order; those of single features come after them.
STYLES = ("page", "parts", "photos", "library", "narrow", "dialogs", "bars")
# What is read only when a map is opened. The file of outlines is stored as it is sent.
MAP = {"leaflet.js": "leaflet.js", "leaflet.css": "leaflet.css", "world.bin": "world.bin.gz"}

router = APIRouter(prefix="/ui")


def texts() -> dict[str, dict[str, str]]:
    """What the pages say, by language."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(TEXTS.glob("*.json"))
    }


def accepted_language(texts: Mapping[str, Mapping[str, str]], accepted: str) -> str:
    """The first language of the header `accepted` that `texts` has, English without any."""
    wanted = [part.split(";")[0].strip()[:2].lower() for part in accepted.split(",")]
    return next((name for name in wanted if name in texts), "en")


def styles() -> str:
    """All styles as one file, which the page waits for before it draws anything."""
    every = {path.stem: path for path in sorted((STATIC / "styles").glob("*.css"))}
    ordered = [every.pop(name) for name in STYLES]
    return "\n".join(path.read_text(encoding="utf-8") for path in (*ordered, *every.values()))


# Before the route of all files, which takes any name.
@router.get("/texts.json")
async def all_texts(request: Request) -> Response:
    return JSONResponse(request.app.state.texts, headers={"cache-control": "no-cache"})


@router.get("/messages/{language}.json")
async def messages(language: str) -> Response:
    path = MESSAGES / f"{language}.json"
    if path not in MESSAGES.iterdir():
        raise HTTPException(404, "There is no such file.")
    return FileResponse(path, headers={"cache-control": "no-cache"})


@router.get("/style.css")
async def style() -> Response:
    return Response(styles(), media_type="text/css", headers={"cache-control": "no-cache"})


@router.get("/map/{name}")
async def map_part(name: str) -> Response:
    """What a map is drawn with: the library Leaflet, and the outlines of land and countries."""
    if name not in MAP:
        raise HTTPException(404, "There is no such file.")
    headers = {"cache-control": "no-cache"}
    if MAP[name] != name:
        headers["content-encoding"] = "gzip"
    return FileResponse(asset("map", MAP[name]), headers=headers)


@router.get("/{name}")
async def static(name: str) -> Response:
    """One of our own scripts and styles, by name."""
    names = {path.name: path for path in STATIC.iterdir() if path.is_file()}
    if name not in names:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(names[name], headers={"cache-control": "no-cache"})
