"""Our own scripts and styles, the texts that they show, and what they draw maps with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

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


@cache
def version() -> str:
    """What the address of our scripts and styles has in it, so that browsers keep them for ever.

    Of all that is in them, as they are when the process first asks.
    """
    every = sha256(styles().encode())
    for path in sorted(path for path in STATIC.iterdir() if path.is_file()):
        every.update(path.name.encode() + b"\0" + path.read_bytes())
    return every.hexdigest()[:16]


@router.get("/texts/{language}.json")
async def texts_in(request: Request, language: str) -> Response:
    """What the pages say in a language, or in English where they do not speak that."""
    every: Mapping[str, Mapping[str, str]] = request.app.state.texts
    spoken = language if language in every else "en"
    said = {"language": spoken, "texts": every[spoken]}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return _unless_known(request, text.encode(), "application/json")


@router.get("/messages/{language}.json")
async def messages(request: Request, language: str) -> Response:
    path = MESSAGES / f"{language}.json"
    if path not in MESSAGES.iterdir():
        raise HTTPException(404, "There is no such file.")
    return _unless_known(request, path.read_bytes(), "application/json")


@router.get("/places/{language}.json")
async def places(request: Request, language: str) -> Response:
    """What places are called in a language, where it has names of its own for them."""
    path = asset("places", "local") / f"{language}.json"
    if path not in path.parent.iterdir():
        raise HTTPException(404, "There is no such file.")
    return _unless_known(request, path.read_bytes(), "application/json")


@router.get("/style.css")
async def style(request: Request) -> Response:
    return _unless_known(request, styles().encode(), "text/css")


@router.get("/map/{name}")
async def map_part(request: Request, name: str) -> Response:
    """What a map is drawn with: the library Leaflet, and the outlines of land and countries."""
    if name not in MAP:
        raise HTTPException(404, "There is no such file.")
    packed = {"content-encoding": "gzip"} if MAP[name] != name else {}
    content = asset("map", MAP[name]).read_bytes()
    return _unless_known(request, content, guess_type(name)[0], **packed)


@router.get("/v/{wanted}/{name}")
async def versioned(request: Request, wanted: str, name: str) -> Response:
    """One of our own scripts, or all styles, as the page asks for them; modules name each other by
    where they are themselves, and so all have the version in their address.
    """
    answer = await (style(request) if name == "style.css" else static(request, name))
    # A page that was loaded before an upgrade has what is there now, but does not keep it.
    if wanted == version():
        answer.headers["cache-control"] = "private, max-age=31536000, immutable"
    return answer


@router.get("/{name}")
async def static(request: Request, name: str) -> Response:
    """One of our own scripts and pictures, by name."""
    names = {path.name: path for path in STATIC.iterdir() if path.is_file()}
    if name not in names:
        raise HTTPException(404, "There is no such file.")
    return _unless_known(request, names[name].read_bytes(), guess_type(name)[0])


def _unless_known(request: Request, content: bytes, kind: str | None, **headers: str) -> Response:
    """`content`, which browsers keep, and ask each time whether it is still the same."""
    # Of what is in it: an installer may give each version of a file the same time.
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers |= {"cache-control": "no-cache", "etag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
