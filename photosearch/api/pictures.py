"""How photos look: small, as large as a screen, and the files themselves."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response

from index import PhotoFile
from photosearch.api import answers, schemas
from photosearch.api.parameters import PhotoName
from photosearch.api.routes import OpenLibrary
from photosearch.delivery.files import Part, media_type, opened, ranged
from photosearch.delivery.thumbnails import Thumbnails
from photosearch.serving.shrinking import LateError, ShrinkError, Shrinkers

_WEBP: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is the picture of the ETag in If-None-Match."},
    404: {"model": schemas.Refused, "description": "There is no such photo, or no picture of it."},
    503: {"model": schemas.Refused, "description": "Its drive does not answer."},
}


@dataclass(frozen=True)
class Pictures:
    """What makes small pictures, in processes of their own."""

    thumbnails: Thumbnails
    shrinkers: Shrinkers

    def close(self) -> None:
        self.shrinkers.close()


# Not a plain function: FastAPI would call that on another thread, for each request.
async def pictures_of(request: Request) -> Pictures:
    """Those of the application that was asked."""
    pictures: Pictures = request.app.state.pictures
    return pictures


TheirPictures: TypeAlias = Annotated[Pictures, Depends(pictures_of)]
IfNoneMatch: TypeAlias = Annotated[str, Header()]

router = APIRouter()


async def file_of(library: OpenLibrary, photo: PhotoName) -> PhotoFile:
    """The photo that is named in the path."""
    return await library.ask(lambda it: answers.photo_file(it, photo))


TheFile: TypeAlias = Annotated[PhotoFile, Depends(file_of)]


@router.get("/v1/photos/{photo:path}/thumbnail", responses={**_WEBP, **_REFUSED})
async def thumbnail(
    pictures: TheirPictures, found: TheFile, if_none_match: IfNoneMatch = ""
) -> Response:
    """A picture of at most 512 pixels a side, as WebP."""
    return await _small(pictures.thumbnails.grid, found, "thumbnail", if_none_match)


@router.get("/v1/photos/{photo:path}/preview", responses={**_WEBP, **_REFUSED})
async def preview(
    pictures: TheirPictures, found: TheFile, if_none_match: IfNoneMatch = ""
) -> Response:
    """A picture of at most 2048 pixels a side, as WebP."""
    return await _small(pictures.thumbnails.screen, found, "preview", if_none_match)


@router.get("/v1/photos/{photo:path}/original", responses=_REFUSED)
async def original(
    found: TheFile,
    range_: Annotated[str | None, Header(alias="range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """The file itself, or the bytes of it that the header Range asks for."""
    tag = _tag(found, "original")
    if _has(tag, if_none_match):
        return Response(status_code=304, headers={"etag": tag})
    file = await opened(found)
    # Parts of another state of the file are not put together: RFC 9110, section 13.1.5.
    wanted = range_ if if_range in (None, tag) else None
    return ranged(
        Part(found.path, file, 0, found.stamp.size),
        wanted,
        media_type=media_type(found.path),
        headers={"etag": tag, "cache-control": "private, no-cache"},
    )


async def _small(
    make: Callable[[PhotoFile], Awaitable[bytes]], photo: PhotoFile, size: str, asked: str
) -> Response:
    tag = _tag(photo, size)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if _has(tag, asked):
        return Response(status_code=304, headers=headers)
    try:
        data = await make(photo)
    except ShrinkError as error:
        status = 503 if isinstance(error, LateError) else 404
        name = os.path.basename(photo.path).encode("utf-8", "backslashreplace").decode()
        raise HTTPException(status, f"{name} {error}") from error
    return Response(data, media_type="image/webp", headers=headers)


def _tag(photo: PhotoFile, size: str) -> str:
    """The ETag of a picture of a photo, which changes with the file's bytes."""
    known = photo.digest.hex()[:32] if photo.digest is not None else ""
    return f'"{known or f"{photo.stamp.size:x}-{photo.stamp.mtime_ns:x}"}-{size}"'


def _has(tag: str, asked: str) -> bool:
    """Whether the header If-None-Match names `tag`, as one of several or as any."""
    return any(one.strip().removeprefix("W/") in ("*", tag) for one in asked.split(","))
