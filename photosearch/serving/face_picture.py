"""The picture of a face: a square of the photo around it, for lists of people."""

from __future__ import annotations

import os
from dataclasses import dataclass

from index.catalogue.frames import MOST
from photosearch.indexing.formats import open_picture
from photosearch.indexing.formats.video import CANDIDATES
from photosearch.indexing.small_picture import webp
from photosearch.regular_file import open_regular
from photosearch.serving.shrinking import Small

# Of the face's larger side: some of what is around it belongs to how somebody looks.
_AROUND = 1.6
# What a decoder may give at most, however small the face is.
_LARGEST = 6000


@dataclass(frozen=True)
class FacePicture:
    """WebP, `side` pixels wide and high at most, in sRGB.

    `area` is that of the face: left, top, width and height in parts of the upright picture, or of
    the frame of a video that is nearest to `seconds`.
    """

    area: tuple[float, float, float, float]
    seconds: float | None = None
    side: int = 256

    def make(self, path: str, max_pixels: int) -> Small:
        from PIL.Image import Resampling

        from photosearch.encoders.preprocess import to_rgb

        left, top, width, height = self.area
        least = min(_LARGEST, round(self.side / max(width, height, 0.01)))
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            suffix = os.path.splitext(path)[1].lower()
            frames = CANDIDATES if self.seconds is None else MOST
            picture = open_picture(file, suffix, least, max_pixels, frames)
        image = picture.image
        if self.seconds is not None and picture.frames:
            moment = self.seconds
            _, image = min(picture.frames, key=lambda one: abs(one[0] - moment))
        wide, high = image.size
        side = min(wide, high, max(1.0, _AROUND * max(width * wide, height * high)))
        # Where it would reach beyond the picture, it is moved inside.
        x = min(max(0.0, (left + width / 2) * wide - side / 2), wide - side)
        y = min(max(0.0, (top + height / 2) * high - side / 2), high - side)
        face = image.crop((round(x), round(y), round(x + side), round(y + side)))
        face = to_rgb(face)
        if face.width > self.side:
            face = face.resize((self.side, self.side), Resampling.LANCZOS, reducing_gap=3.0)
        face.info = {}
        return Small(webp(face), status.st_size, status.st_mtime_ns)
