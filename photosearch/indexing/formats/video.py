"""Frames of videos, by FFmpeg through PyAV."""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from photosearch.indexing.formats.picture import (
    MAX_PIXELS,
    DecodeError,
    Picture,
    needs_extra,
    refuse_above,
)

# Frames among which the one with the most detail stands for the video.
CANDIDATES = 3
# Of a long film there are more, one for so many seconds.
_SECONDS = 4.0


def read(file: BinaryIO, side: int, max_pixels: int, most: int = CANDIDATES) -> Picture:
    """Frames spread over `file`, three to `most` as it is long, and the one that stands for it.

    That is the one with most detail. Their short sides are no less than `side` where the film has
    as much.

    Raises `DecodeError` without the extra, without a frame, or above `max_pixels`.
    """
    (width, height), frames = _sample(file, None, max_pixels, side, most)
    best = max(frames, key=lambda frame: _detail(frame[1]))
    ordered = (best, *(frame for frame in frames if frame is not best))
    return Picture(best[1], width, height, "VIDEO", ordered)


def sample_frames(path: str, count: int) -> list[tuple[float, Image.Image]]:
    """Up to `count` key frames spread over the video at `path`: (seconds, upright RGB image).

    A short video has fewer; no frame comes twice. Raises `DecodeError` as `read` does, and PyAV's
    errors for a damaged file.
    """
    with open(path, "rb") as file:
        return _sample(file, count, MAX_PIXELS)[1]


def _sample(
    file: BinaryIO, count: int | None, max_pixels: int, side: int = 0, most: int = CANDIDATES
) -> tuple[tuple[int, int], list[tuple[float, Image.Image]]]:
    """Width and height as seen, and `count` frames, or as many as suit its length."""
    try:
        import av
    except ImportError:
        raise needs_extra("a video", "video") from None
    # The format is named, and the file is opened by us: FFmpeg is never led to playlists, other
    # files or the network.
    with av.open(file, format="mov", metadata_errors="ignore") as container:
        if not container.streams.video:
            raise DecodeError("is a video without pictures")
        stream = container.streams.video[0]
        refuse_above(max_pixels, stream.width, stream.height)
        # One thread: the workers already use all cores.
        stream.thread_count = 1
        # In the middle of `count` equal parts, so that neither a black start nor credits count.
        length = stream.duration or 0
        start = stream.start_time or 0
        if count is None:
            seconds = float(length * stream.time_base) if stream.time_base else 0.0
            count = max(CANDIDATES, min(most, math.ceil(seconds / _SECONDS)))
        found: dict[float, Image.Image] = {}
        size = (0, 0)
        for part in range(count):
            frame = _key_frame(container, stream, start + length * (2 * part + 1) // (2 * count))
            if frame is not None and (seconds := float(frame.time or 0.0)) not in found:
                image = _upright(frame)
                size = image.size
                # Many frames of a large film are held at once.
                factor = min(size) // side if side else 1
                found[seconds] = image.reduce(factor) if factor > 1 else image
    if not found:
        raise DecodeError("is a video of which no frame can be decoded")
    return size, sorted(found.items(), key=lambda frame: frame[0])


def _key_frame(container: Any, stream: Any, moment: int) -> Any:
    """The last key frame before `moment`, in the stream's time base; None where there is none."""
    import av

    try:
        container.seek(moment, stream=stream, backward=True)
        return next(container.decode(stream), None)
    except av.FFmpegError:
        return None


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    # How far the display turns the frame, against the clock.
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _detail(image: Image.Image) -> float:
    """How much neighbouring pixels differ; a black or blurred frame scores low."""
    grey = np.asarray(image.convert("L").resize((128, 128)), np.float32)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
