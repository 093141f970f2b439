"""From photos to the files that are shared, in their order."""

from __future__ import annotations

import io
import os
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from index import FileStamp, PhotoFile
from photosearch.errors import PhotosearchError
from photosearch.indexing.formats.profiles import adobe_rgb
from photosearch.indexing.formats.tags import says_adobe_rgb
from photosearch.indexing.metadata import orientation_of
from photosearch.serving.shrinking import ShrinkError, Shrinkers, Small, Still
from photosearch.sharing.exif import exif_of, rights_of
from photosearch.sharing.originals import ChangedError, open_original
from photosearch.sharing.stripped import BareVideo, DamagedError, bare_jpeg
from photosearch.sharing.wanted import Shared, Tally, Wanted

# Photos that are begun before they are needed.
_AHEAD = 3
_PIECE = 1 << 18
# JPEGs beyond are no photos that can be held in memory.
_LARGEST = 512 << 20


class BrokenOffError(Exception):
    """A photo could not be read to its end; the message is the reason."""


class ScratchError(PhotosearchError):
    """There is no room for temporary files."""


@dataclass(frozen=True)
class File:
    """A file to write: the name that it should have, which may lie in a folder, and its content.

    `photo` is the one that it is a copy of, None for what is made around them. Whoever writes it
    closes it.
    """

    name: str
    content: BinaryIO
    mtime_ns: int
    photo: Shared | None = None

    def pieces(self) -> Iterator[bytes]:
        """Raises `BrokenOffError`."""
        with self.content:
            while True:
                try:
                    piece = self.content.read(_PIECE)
                except (OSError, ChangedError) as error:
                    raise BrokenOffError(reason_of(error)) from error
                if not piece:
                    return
                yield piece


def make_files(
    photos: Sequence[Shared],
    wanted: Wanted,
    shrinkers: Shrinkers,
    tally: Tally,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[File, None, None]:
    """The files of `photos`, in their order, until `stopped`.

    A photo that cannot be had is left out and noted in `tally`; the others come all the same.

    Raises `ScratchError`.
    """
    begun: deque[tuple[Shared, Callable[[], File]]] = deque()
    waiting = iter(photos)
    with _scratch() as scratch:
        while not stopped():
            while len(begun) < _AHEAD and (one := next(waiting, None)) is not None:
                begun.append((one, _begin(one, wanted, shrinkers, scratch)))
            if not begun:
                return
            one, finish = begun.popleft()
            try:
                file = finish()
            except (OSError, ChangedError, ShrinkError, DamagedError) as error:
                tally.leave_out(one.photo.path, reason_of(error))
            else:
                yield file


def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder of which nothing is left behind, also of what was begun in vain."""
    try:
        return tempfile.TemporaryDirectory(prefix="photosearch-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ScratchError(
            f"no folder for temporary files can be made ({error.strerror or error}); make room "
            "where they are, or name another place in the variable TMPDIR"
        ) from error


def _begin(one: Shared, wanted: Wanted, shrinkers: Shrinkers, scratch: str) -> Callable[[], File]:
    """Begins with what takes long; what comes back finishes it, and raises what went wrong."""
    name = shown_name(one.photo)
    try:
        if wanted.becomes_jpeg(one):
            return _jpeg(one, wanted, shrinkers, name)
        if one.is_video and not wanted.position:
            return _bare_video(one, shrinkers, name, scratch)
    except (OSError, ChangedError, ShrinkError) as error:
        return _raising(error)
    if wanted.position:
        return lambda: File(name, open_original(one.photo), one.photo.stamp.mtime_ns, one)
    return lambda: _bare_jpeg(one, wanted, name)


def _raising(error: Exception) -> Callable[[], File]:
    def finish() -> File:
        raise error

    return finish


def _jpeg(one: Shared, wanted: Wanted, shrinkers: Shrinkers, name: str) -> Callable[[], File]:
    photo = one.photo
    with open_original(photo) as file:
        rights = rights_of(file) if wanted.details else None
    exif = exif_of(one.metadata, position=wanted.position, details=wanted.details, rights=rights)
    side = wanted.side_of(photo)
    # A preview in a RAW file is a little smaller than its sensor, and as good.
    least = min(side, int(0.9 * min(photo.width, photo.height)) or 1)
    future = shrinkers.make(photo.path, Still(side, least, "JPEG", wanted.quality, exif).make)

    def finish() -> File:
        small = future.result()
        _check(photo, small)
        named = f"{os.path.splitext(name)[0]}.jpg"
        return File(named, io.BytesIO(small.data), photo.stamp.mtime_ns, one)

    return finish


def _bare_jpeg(one: Shared, wanted: Wanted, name: str) -> File:
    with open_original(one.photo) as file:
        if one.photo.stamp.size > _LARGEST:
            raise DamagedError("is too large to be without its position")
        rights = rights_of(file) if wanted.details else None
        exif = exif_of(
            one.metadata,
            position=False,
            details=wanted.details,
            orientation=orientation_of(file),
            rights=rights,
        )
        profile = _unsaid_profile(file)
        file.seek(0)
        content = bare_jpeg(file.read(), exif, profile)
    return File(name, io.BytesIO(content), one.photo.stamp.mtime_ns, one)


def _unsaid_profile(file: BinaryIO) -> bytes:
    """Adobe RGB where only EXIF says it, which is not kept."""
    from PIL import Image

    file.seek(0)
    try:
        with Image.open(file, formats=("JPEG", "MPO")) as image:
            return adobe_rgb() if says_adobe_rgb(image) else b""
    except Exception:  # whatever its parsing trips over
        return b""


def _bare_video(one: Shared, shrinkers: Shrinkers, name: str, scratch: str) -> Callable[[], File]:
    photo = one.photo
    open_original(photo).close()
    handle, to = tempfile.mkstemp(dir=scratch)
    os.close(handle)
    future = shrinkers.make(photo.path, BareVideo(to).make)

    def finish() -> File:
        _check(photo, future.result())
        return File(name, _Passing(to), photo.stamp.mtime_ns, one)

    return finish


def _check(photo: PhotoFile, made: Small) -> None:
    """Raises `ChangedError` where another file was read than the one that was indexed."""
    if FileStamp(made.size, made.mtime_ns) != photo.stamp:
        raise ChangedError


class _Passing(io.FileIO):
    """A file of our own that is gone when it is closed: videos are large."""

    def close(self) -> None:
        super().close()
        with suppress(OSError):
            os.remove(os.fspath(self.name))


def count(file: File, wanted: Wanted, tally: Tally) -> None:
    """Note that a file is written."""
    if file.photo is None:
        return
    tally.files += 1
    tally.done += 1
    tally.converted += not wanted.jpeg and wanted.becomes_jpeg(file.photo)


def shown_name(photo: PhotoFile) -> str:
    """The name of a photo's file; bytes of it that are not text become readable escapes."""
    return os.path.basename(photo.path).encode("utf-8", "backslashreplace").decode()


def reason_of(error: Exception) -> str:
    """What is said of a photo that was left out."""
    if isinstance(error, FileNotFoundError):
        return "is not there any more"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
