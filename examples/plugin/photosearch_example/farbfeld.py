"""Reads farbfeld: 8 bytes that name it, width and height, and RGBA in 16 bits, all big-endian."""

import numpy as np

from photosearch.plugins import Asked, DecodeError, Picture, image_of, refuse_above

_HEADER, _PIXEL = 16, 8


def picture(asked: Asked) -> Picture:
    header = asked.file.read(_HEADER)
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (8, 12))
    refuse_above(asked.max_pixels, width, height)
    content = asked.file.read(width * height * _PIXEL)
    if not content or len(content) < width * height * _PIXEL:
        raise DecodeError("is cut short")
    values = np.frombuffer(content, ">u2").reshape(height, width, 4)
    return Picture(image_of(values.astype(np.uint16)), width, height, "FARBFELD")
