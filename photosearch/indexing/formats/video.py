"""Frames of videos, by FFmpeg through PyAV."""

from __future__ import annotations

import math
import os
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from photosearch.formats import VIDEO
from photosearch.indexing.formats import profiles
from photosearch.indexing.formats.colour import to_srgb
from photosearch.indexing.formats.picture import (
    MAX_PIXELS,
    Asked,
    DecodeError,
    Picture,
    needs_extra,
    refuse_above,
)
from photosearch.kinds import HEAD, video_format
from photosearch.regular_file import open_regular

# Frames among which the one with the most detail stands for the video.
CANDIDATES = 3
# Of a long video there are more, one for so many seconds.
_SECONDS = 4.0
# Containers whose times begin anywhere.
_CLOCKS = ("mpeg", "mpegts", "mpegvideo")
# Pixels wider or higher than this many times are a mistake.
_WIDEST = 4.0


def picture(asked: Asked) -> Picture:
    container = video_format(asked.head, asked.suffix)
    assert container is not None
    return read(asked.file, container, asked.side, asked.max_pixels, asked.frames)


def read(
    file: BinaryIO, container: str, side: int, max_pixels: int, most: int = CANDIDATES
) -> Picture:
    """Frames spread over `file`, three to `most` as it is long, and the one that stands for it.

    That one has most detail. `container` is FFmpeg's name of the format. The frames' short sides
    are no less than `side` where the video has as much.

    Raises `DecodeError` without the extra, without a frame, or above `max_pixels`.
    """
    (width, height), frames = _sample(file, container, None, max_pixels, side, most)
    best = max(frames, key=lambda frame: _detail(frame[1]))
    ordered = (best, *(frame for frame in frames if frame is not best))
    return Picture(best[1], width, height, "VIDEO", ordered)


def sample_frames(path: str, count: int) -> list[tuple[float, Image.Image]]:
    """Up to `count` key frames spread over the video at `path`: (seconds, upright RGB image).

    A short video has fewer; no frame comes twice. Raises `DecodeError` as `read` does, and PyAV's
    errors for a damaged file.
    """
    with open_regular(path) as file:
        head = file.read(HEAD)
        file.seek(0)
        container = video_format(head, os.path.splitext(path)[1].lower()) or "mov"
        return _sample(file, container, count, MAX_PIXELS)[1]


def _sample(
    file: BinaryIO,
    form: str,
    count: int | None,
    max_pixels: int,
    side: int = 0,
    most: int = CANDIDATES,
) -> tuple[tuple[int, int], list[tuple[float, Image.Image]]]:
    """Width and height as seen, and `count` frames, or as many as suit its length."""
    try:
        import av
    except ImportError:
        raise needs_extra(VIDEO.called, VIDEO.extra) from None
    # The format is named, and the file is opened by us: FFmpeg is never led to playlists, other
    # files or the network.
    with av.open(file, format=form, metadata_errors="ignore") as container:
        if not container.streams.video:
            raise DecodeError("is a video without pictures")
        stream = container.streams.video[0]
        refuse_above(max_pixels, stream.width, stream.height)
        # One thread: the workers already use all cores.
        stream.thread_count = 1
        start, length = _span(container, stream)
        # Players count from the first frame where the container has a clock of its own.
        zero = float(start * stream.time_base) if form in _CLOCKS and stream.time_base else 0.0
        if count is None:
            seconds = float(length * stream.time_base) if stream.time_base else 0.0
            count = max(CANDIDATES, min(most, math.ceil(seconds / _SECONDS)))
        found: dict[float, Image.Image] = {}
        size = (0, 0)
        # In the middle of `count` equal parts, so that neither a black start nor credits count.
        for part in range(count):
            middle = start + length * (2 * part + 1) // (2 * count)
            # Without a list of key frames one may land behind the last of them, and look earlier.
            for moment in (middle, middle - length // count, _before(start, stream)):
                frame = _key_frame(container, stream, moment)
                if frame is not None:
                    break
            if frame is None or (seconds := float(frame.time or 0.0) - zero) in found:
                continue
            image = _upright(frame, stream)
            size = image.size
            # Many frames of a large video are held at once.
            factor = min(size) // side if side else 1
            image = image.reduce(factor) if factor > 1 else image
            found[seconds] = to_srgb(image, _profile(frame), side)
    if not found:
        raise DecodeError("is a video of which no frame can be decoded")
    return size, sorted(found.items(), key=lambda frame: frame[0])


def _span(container: Any, stream: Any) -> tuple[int, int]:
    """Where the video begins and how long it is, in the stream's time base; 0 where not told."""
    start, length = stream.start_time or 0, stream.duration or 0
    if not length and container.duration and stream.time_base:
        length = int(container.duration / 1_000_000 / stream.time_base)
    return start, length


def _before(start: int, stream: Any) -> int:
    """A second before the beginning, where a container is searched from its first byte."""
    return start - int(1 / stream.time_base) if stream.time_base else start


def _key_frame(container: Any, stream: Any, moment: int) -> Any:
    """The last key frame before `moment`, in the stream's time base; None where there is none.

    Where a container has no list of its key frames it may be the one after it.
    """
    import av

    try:
        container.seek(moment, stream=stream, backward=True)
        return next(container.decode(stream), None)
    except av.FFmpegError:
        return None


def _profile(frame: Any) -> bytes | None:
    """The colours of a frame; HDR is told from SDR by it. Older versions of PyAV do not tell."""
    primaries, transfer = getattr(frame, "color_primaries", 2), getattr(frame, "color_trc", 2)
    return profiles.of_codes(int(primaries), int(transfer))


def _upright(frame: Any, stream: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    # Of DVDs and many camcorders pixels are no squares.
    ratio = float(stream.sample_aspect_ratio or 1)
    if ratio != 1 and 1 / _WIDEST < ratio < _WIDEST:
        image = image.resize((max(1, round(image.width * ratio)), image.height))
    # How far the display turns the frame, against the clock.
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _detail(image: Image.Image) -> float:
    """How much neighbouring pixels differ; a black or blurred frame scores low."""
    grey = np.asarray(image.convert("L").resize((128, 128)), np.float32)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
