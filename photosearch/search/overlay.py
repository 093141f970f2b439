"""A photo with the map of why it fits laid over it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from photosearch.errors import UsageError
from photosearch.regular_file import open_regular
from photosearch.search.embed import decoders
from photosearch.search.why import Why

_SIDE = 1024
# Parts that count for nothing keep this much of their brightness.
_DIM = 0.4


def write_overlay(why: Why, out: Path) -> None:
    """Write the picture, at most 1024 pixels wide or high, dimmed where nothing counts.

    Raises `UsageError` when the photo cannot be read, or `out` is there already or cannot be
    written.
    """
    from PIL import Image

    from photosearch.indexing.formats import MAX_PIXELS, open_picture

    try:
        with decoders(), open_regular(why.path) as file:
            suffix = Path(why.path).suffix.lower()
            picture = open_picture(file, suffix, _SIDE, MAX_PIXELS).image.convert("RGB")
    # Decoders raise whatever they tripped over.
    except Exception as error:
        raise UsageError(f"{why.path}: cannot be read ({error}); name another photo") from error
    picture.thumbnail((_SIDE, _SIDE))
    left, top, right, bottom = why.area
    box = (
        round(left * picture.width),
        round(top * picture.height),
        max(round(right * picture.width), 1),
        max(round(bottom * picture.height), 1),
    )
    heat = Image.fromarray((why.heat * 255).astype(np.uint8)).resize(
        (box[2] - box[0], box[3] - box[1]), Image.Resampling.BICUBIC
    )
    whole = Image.new("L", picture.size)
    whole.paste(heat, box[:2])
    light = _DIM + (1 - _DIM) * np.asarray(whole, np.float32)[..., None] / 255
    lit = Image.fromarray((np.asarray(picture, np.float32) * light).astype(np.uint8))
    data = io.BytesIO()
    lit.save(data, "PNG" if out.suffix.lower() == ".png" else "JPEG")
    try:
        # Never over an existing file, which might be a photo.
        with out.open("xb") as written:
            written.write(data.getvalue())
    except OSError as error:
        raise UsageError(
            f"{out}: cannot be written ({error.strerror}); name a new file in a folder that is "
            "writable"
        ) from error
