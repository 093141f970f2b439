"""Originals handed out: one to be saved, many as a zip file, or copied to a folder."""

from __future__ import annotations

import mimetypes
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote

from fastapi import HTTPException, Response
from fastapi.responses import StreamingResponse

from index import PhotoFile
from photosearch.errors import UsageError
from photosearch.ui.photos import shown

_PIECE = 1 << 18
_NEVER = {"cache-control": "no-store"}


class ChangedError(Exception):
    """A file is not the one that was indexed; the message says so to the user."""


def open_original(photo: PhotoFile) -> BinaryIO:
    """The file of a photo, if it still is the one that was indexed.

    Whatever took its place since, such as a link to something else, is not given away.
    Raises `FileNotFoundError` or another `OSError`; `ChangedError`.
    """
    file = open(photo.path, "rb")  # noqa: SIM115 (the caller closes it)
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (photo.stamp.size, photo.stamp.mtime_ns):
        file.close()
        raise ChangedError("The file has changed since it was indexed; index again first.")
    return file


def download(photo: PhotoFile) -> Response:
    """One file, to be saved under its name."""
    try:
        file = open_original(photo)
    except ChangedError as error:
        raise HTTPException(409, str(error)) from error
    except OSError as error:
        raise HTTPException(404, "The file is not there any more.") from error

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    name = shown(os.path.basename(photo.path))
    kind = mimetypes.guess_type(photo.path)[0] or "application/octet-stream"
    return StreamingResponse(
        pieces(),
        media_type=kind if kind.startswith(("image/", "video/")) else "application/octet-stream",
        headers=_NEVER
        | {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "content-length": str(photo.stamp.size),
        },
    )


def download_zip(photos: Sequence[PhotoFile]) -> Response:
    """Many files as one, made while it is sent; those that cannot be read are named in it."""
    return StreamingResponse(
        zipped(photos),
        media_type="application/zip",
        headers=_NEVER | {"content-disposition": 'attachment; filename="photos.zip"'},
    )


class _Pipe:
    """Takes what a zip file writes, to be sent on."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def zipped(photos: Sequence[PhotoFile]) -> Iterator[bytes]:
    """A zip file of the originals, in pieces. Photos hardly shrink, so they are only stored."""
    pipe = _Pipe()
    left_out: list[str] = []
    names: set[str] = set()
    with zipfile.ZipFile(cast(BinaryIO, pipe), "w", zipfile.ZIP_STORED) as archive:
        for photo in photos:
            name = free_name(shown(os.path.basename(photo.path)), names)
            try:
                file = open_original(photo)
            except (OSError, ChangedError) as error:
                left_out.append(f"{shown(photo.path)}: {_reason(error)}")
                continue
            with file, archive.open(zipfile.ZipInfo(name, _zip_time(photo)), "w") as entry:
                while piece := file.read(_PIECE):
                    entry.write(piece)
                    yield pipe.taken()
        if left_out:
            archive.writestr("left out.txt", "\n".join(left_out) + "\n")
    yield pipe.taken()


def copy_to(photos: Sequence[PhotoFile], folder: Path) -> tuple[int, list[str]]:
    """Copy originals into a folder; how many, and which not, with the reason.

    A name that is taken there gets a number; nothing is overwritten.
    Raises `UsageError` when the folder is not there.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; choose another")
    copied, left_out = 0, []
    names: set[str] = set()
    for photo in photos:
        try:
            with open_original(photo) as file:
                target = _create(folder, os.path.basename(photo.path), names)
                with target:
                    shutil.copyfileobj(file, target, _PIECE)
            os.utime(target.name, ns=(photo.stamp.mtime_ns, photo.stamp.mtime_ns))
        except (OSError, ChangedError) as error:
            left_out.append(f"{shown(photo.path)}: {_reason(error)}")
        else:
            copied += 1
    return copied, left_out


def _create(folder: Path, wanted: str, names: set[str]) -> BinaryIO:
    """A new file, which was not there before."""
    while True:
        try:
            return open(folder / free_name(wanted, names), "xb")
        except FileExistsError:
            continue


def free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or with a number when it is taken; it is taken from now on."""
    stem, suffix = os.path.splitext(wanted)
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){suffix}"
    taken.add(name.casefold())
    return name


def _zip_time(photo: PhotoFile) -> tuple[int, int, int, int, int, int]:
    import time

    year, *rest = time.localtime(photo.stamp.mtime_ns / 1e9)[:6]
    if not 1980 <= year <= 2107:  # what a zip file can say
        return (1980, 1, 1, 0, 0, 0)
    month, day, hour, minute, second = rest
    return (year, month, day, hour, minute, second)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
