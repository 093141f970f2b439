"""Frames of videos, by FFmpeg through PyAV."""

from __future__ import annotations

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

SUFFIXES = frozenset({".mp4", ".mov", ".m4v"})

# Frames among which the one with the most detail stands for the video.
_CANDIDATES = 3


def read(file: BinaryIO, max_pixels: int) -> Picture:
    """The frame of `file` that stands for it: of three spread over it, that with most detail.

    Raises `DecodeError` without the extra, without a frame, or above `max_pixels`.
    """
    frames = _sample(file, _CANDIDATES, max_pixels)
    _, image = max(frames, key=lambda frame: _detail(frame[1]))
    return Picture(image, image.width, image.height, "VIDEO")


def sample_frames(path: str, count: int) -> list[tuple[float, Image.Image]]:
    """Up to `count` key frames spread over the video at `path`: (seconds, upright RGB image).

    A short video has fewer; no frame comes twice. Raises `DecodeError` as `read` does, and PyAV's
    errors for a damaged file.
    """
    with open(path, "rb") as file:
        return _sample(file, count, MAX_PIXELS)


def _sample(file: BinaryIO, count: int, max_pixels: int) -> list[tuple[float, Image.Image]]:
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
        found: dict[float, Image.Image] = {}
        for part in range(count):
            frame = _key_frame(container, stream, start + length * (2 * part + 1) // (2 * count))
            if frame is not None and (seconds := float(frame.time or 0.0)) not in found:
                found[seconds] = _upright(frame)
    if not found:
        raise DecodeError("is a video of which no frame can be decoded")
    return sorted(found.items())


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
