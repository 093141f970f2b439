"""From a picture file to the pixels that the network takes. Runs in worker processes."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from index import Metadata
from photosearch.elsewhere.addresses import is_address
from photosearch.elsewhere.faults import ElsewhereError
from photosearch.encoders.preprocess import Preprocess, to_rgb
from photosearch.indexing.formats import MAX_PIXELS, DecodeError, Picture, open_picture
from photosearch.indexing.formats.pillow import prepare as prepare_decoders
from photosearch.indexing.metadata import metadata_of
from photosearch.indexing.small_picture import small_picture
from photosearch.looks import CLOSE, Look, closely, glance
from photosearch.regular_file import NotRegularError, open_regular

__all__ = [
    "DecodeError",
    "Decoded",
    "decode",
    "digest_of",
    "glance_at",
    "look_closely",
    "prepare_decoders",
    "read_metadata",
    "thumbnail_of",
]

# Of a video so many frames can be found by themselves.
_FRAMES = 16
# Longer sides in relation to the short one are cut before scaling where the model crops anyway.
_STRIP = 16

# Up to here a file is read once, for its digest and its decoder; larger ones, videos as a rule, are
# not held in memory.
_HELD = 64 << 20
_PIECE = 1 << 20
# Formats that may hold several pictures, of which the first is seen. Those in an MPO show the same.
_SEVERAL = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoded:
    """pixels: uint8 (S, S, 3); width and height of the whole picture as seen, in pixels.

    digest: BLAKE3 of the file's bytes, 32 bytes. metadata: without a place's name. `more` of a
    video are the pixels of further frames, uint8 (n, S, S, 3), and `moments` the seconds of all,
    those of `pixels` first. `look` is a glance, empty of what moves. `thumbnail` is a small picture
    as WebP, of what is not in a folder. `vectors` (1 + further frames, d) are there where another
    machine has encoded it, and `pixels` are none then.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    digest: bytes
    metadata: Metadata
    moments: tuple[float, ...] = ()
    more: NDArray[np.uint8] | None = None
    look: bytes = b""
    thumbnail: bytes = b""
    vectors: NDArray[np.float32] | None = None


def decode(
    path: str,
    preprocess: Preprocess,
    max_pixels: int = MAX_PIXELS,
    sidecars: Sequence[str] = (),
) -> Decoded:
    """Read the picture at `path`, upright, first frame; the file is opened for reading only.

    `sidecars` are files that describe it, XMP or Takeout's JSON; the first goes before the others.

    Raises `DecodeError` with the reason when it cannot be read, or has more than `max_pixels`.
    """
    with _told(path), open_regular(path) as opened:
        file, digest = _digested(opened)
        suffix = os.path.splitext(path)[1].lower()
        picture = open_picture(file, suffix, preprocess.side, max_pixels, _FRAMES)
        scaled = preprocess.scaled(_seen(picture.image, preprocess))
        more = [preprocess.pixels(_seen(image, preprocess)) for _, image in picture.frames[1:]]
        look = b""
        if not _moves(picture, file):
            # Of what is scaled already: of the whole picture it would take three times as long.
            look = glance(scaled, picture.width, picture.height).packed()
        metadata = metadata_of(file, path, sidecars)
        thumbnail = b""
        if is_address(path):
            file.seek(0)
            thumbnail = small_picture(file, suffix, max_pixels)
        return Decoded(
            preprocess.square(scaled),
            picture.width,
            picture.height,
            picture.format,
            digest,
            metadata,
            tuple(seconds for seconds, _ in picture.frames),
            np.stack(more) if more else None,
            look,
            thumbnail,
        )


def read_metadata(path: str, sidecars: Sequence[str] = ()) -> Metadata:
    """What the photo at `path` says of itself; nothing is decoded.

    Raises `DecodeError` with the reason when the file cannot be opened.
    """
    with _told(path), open_regular(path) as file:
        return metadata_of(file, path, sidecars)


def glance_at(path: str, preprocess: Preprocess, max_pixels: int = MAX_PIXELS) -> Look | None:
    """How the picture at `path` looks at a glance, as `decode` notes it; None of what moves.

    Raises as `decode` does.
    """
    picture = _still(path, preprocess.side, max_pixels)
    if picture is None:
        return None
    scaled = preprocess.scaled(_seen(picture.image, preprocess))
    return glance(scaled, picture.width, picture.height)


def look_closely(path: str, max_pixels: int = MAX_PIXELS) -> Look | None:
    """How the picture at `path` looks closely; None of what moves. Raises as `decode` does."""
    picture = _still(path, CLOSE, max_pixels)
    if picture is None:
        return None
    return closely(to_rgb(picture.image), picture.width, picture.height)


def _still(path: str, side: int, max_pixels: int) -> Picture | None:
    with _told(path), open_regular(path) as file:
        suffix = os.path.splitext(path)[1].lower()
        picture = open_picture(file, suffix, side, max_pixels, 1)
        return None if _moves(picture, file) else picture


def _moves(picture: Picture, file: BinaryIO) -> bool:
    """Whether it is a video or an animation, or has further pages; one picture is not all of it."""
    if picture.format not in _SEVERAL:
        return bool(picture.frames)
    file.seek(0)
    try:
        with Image.open(file, formats=(picture.format,)) as image:
            return getattr(image, "n_frames", 1) > 1
    except Exception:  # of a layout that was read in another way
        _log.debug("Pillow cannot count the pictures in a file", exc_info=True)
        return False


def thumbnail_of(path: str, max_pixels: int = MAX_PIXELS) -> bytes:
    """The small picture of what is at `path`, as `decode` makes it. Raises as `decode` does."""
    with _told(path), open_regular(path) as file:
        return small_picture(file, os.path.splitext(path)[1].lower(), max_pixels)


def digest_of(path: str) -> bytes:
    """BLAKE3 of the file's bytes, 32 bytes; nothing is decoded.

    Raises `DecodeError` with the reason when it cannot be read.
    """
    with _told(path), open_regular(path) as file:
        hasher = blake3()
        while piece := file.read(_PIECE):
            hasher.update(piece)
        return hasher.digest()


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turns whatever goes wrong with a file into a `DecodeError` with the reason."""
    try:
        yield
    except DecodeError:
        raise
    except FileNotFoundError:
        raise DecodeError("disappeared while it was being indexed", passing=True) from None
    except ElsewhereError as error:
        raise DecodeError(
            error.strerror or "cannot be fetched", passing=bool(error.errno)
        ) from None
    except PermissionError as error:
        # At addresses it is not the file's own.
        reason = error.strerror if is_address(path) and error.strerror else ""
        raise DecodeError(
            reason or "may not be read; check its permissions", passing=True
        ) from None
    except NotRegularError:
        raise DecodeError("is not a regular file", passing=True) from None
    except UnidentifiedImageError:
        raise DecodeError(_unknown(path)) from None
    except MemoryError:
        raise DecodeError("needs more memory than there is for one file", passing=True) from None
    # On damaged files the decoders raise whatever their parsing tripped over.
    except Exception as error:
        # Only what the system says of the file has a number: a disk or a network that fails. What
        # FFmpeg says of a damaged video has one of its own, and is a ValueError too.
        passing = (
            isinstance(error, OSError)
            and error.errno is not None
            and not isinstance(error, ValueError)
        )
        # In one line: some decoders end theirs with a line break.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DecodeError(f"cannot be decoded ({reason})", passing=passing) from error


def _digested(file: BinaryIO) -> tuple[BinaryIO, bytes]:
    """What to decode, and its digest."""
    # Not `_HELD` at once: memory for that many bytes would be fetched from the system, and given
    # back, for each photo.
    size = min(_size(file), _HELD - 1)
    content = file.read(size + 1)
    if len(content) > size:  # it is large, or has grown
        content += file.read(_HELD - len(content))
    hasher = blake3(content)
    if len(content) < _HELD:
        return io.BytesIO(content), hasher.digest()
    del content
    while piece := file.read(_PIECE):
        hasher.update(piece)
    file.seek(0)
    return file, hasher.digest()


def _size(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _seen(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The middle of a long strip, where the network is shown no more than a square of it.

    Bringing the short side of a whole strip up to size would make a gigantic picture.
    """
    short, long = sorted(image.size)
    if preprocess.settings.crop != "center" or long <= _STRIP * short:
        return image
    # The same parity keeps the middle where it is.
    kept = _STRIP * short + (long - _STRIP * short) % 2
    first = (long - kept) // 2
    wide = image.width > image.height
    box = (first, 0, first + kept, short) if wide else (0, first, short, first + kept)
    return image.crop(box)


def _unknown(path: str) -> str:
    if not is_address(path) and not os.path.getsize(path):
        return "is empty"
    return "is not a picture in a known format, or is damaged"
