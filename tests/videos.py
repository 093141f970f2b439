"""Real videos for the tests, written by FFmpeg, and the maker note of an iPhone."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64


def video(
    path: Path,
    colours: Sequence[str] = ("red",),
    *,
    seconds: int = 1,
    metadata: dict[str, str] | None = None,
    rate: int = 4,
    codec: str = "mpeg4",
) -> Path:
    """A video that shows each colour, with a key frame each, for so many seconds."""
    pictures = [Image.new("RGB", (SIDE, SIDE), colour) for colour in colours]
    return film(path, pictures, seconds=seconds, metadata=metadata, rate=rate, codec=codec)


def film(
    path: Path,
    pictures: Sequence[Image.Image],
    *,
    seconds: int = 1,
    metadata: dict[str, str] | None = None,
    rate: int = 4,
    codec: str = "mpeg4",
) -> Path:
    """The same of pictures, all of the size of the first."""
    import av

    options = {"movflags": "use_metadata_tags"}
    form = "mov" if codec == "mpeg4" else "mp4"
    with av.open(str(path), "w", format=form, options=options) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = rate * seconds
        for each in pictures:
            picture = np.asarray(each)
            for _ in range(rate * seconds):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def maker_note(identifier: str) -> bytes:
    """An iPhone's, with the name that a Live Photo's still and video share."""
    head = b"Apple iOS\0\0\1MM" + struct.pack(">H", 1)
    text = identifier.encode() + b"\0"
    return head + struct.pack(">HHII", 0x11, 2, len(text), len(head) + 16) + b"\0" * 4 + text
