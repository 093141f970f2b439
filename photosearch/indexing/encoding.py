"""From squares of pixels to vectors: one for each photo, and one for each frame of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import Frames
from photosearch.encoders import Encoder
from photosearch.indexing.decode import Decoded
from photosearch.indexing.pace import BATCH


def count_squares(photos: Sequence[Decoded]) -> int:
    """How many pictures the network will see."""
    return sum(1 + (0 if photo.more is None else len(photo.more)) for photo in photos)


def encode(
    encoder: Encoder, photos: Sequence[Decoded], most: int = BATCH
) -> tuple[NDArray[np.floating[Any]], dict[int, Frames]]:
    """Vectors (n, d) of `photos`, and the frames of those that are videos, by their place.

    The network sees `most` squares at once.
    """
    if photos and all(photo.vectors is not None for photo in photos):
        return _encoded_elsewhere(photos)
    squares = [photo.pixels for photo in photos]
    for photo in photos:
        squares.extend(() if photo.more is None else photo.more)
    parts = [squares[start : start + most] for start in range(0, len(squares), most)]
    vectors = np.concatenate([encoder.encode_pixels(np.stack(part)) for part in parts])
    frames = {}
    place = len(photos)
    for number, photo in enumerate(photos):
        count = 0 if photo.more is None else len(photo.more)
        if photo.moments:
            own = np.concatenate([vectors[number : number + 1], vectors[place : place + count]])
            frames[number] = Frames(photo.moments, own)
        place += count
    return vectors[: len(photos)], frames


def light(encoder: Encoder, photos: Sequence[Decoded], most: int = BATCH) -> list[Decoded]:
    """The same photos with their vectors, of which `encode` then makes use, instead of pixels."""
    if not photos:
        return []
    vectors, frames = encode(encoder, photos, most)
    nothing = np.empty((0, 0, 3), np.uint8)
    done = []
    for number, photo in enumerate(photos):
        own = frames[number].vectors if number in frames else vectors[number : number + 1]
        done.append(replace(photo, pixels=nothing, more=None, vectors=np.asarray(own, np.float32)))
    return done


def _encoded_elsewhere(
    photos: Sequence[Decoded],
) -> tuple[NDArray[np.floating[Any]], dict[int, Frames]]:
    """What `encode` gives, of the vectors that came with the photos."""
    own = [photo.vectors for photo in photos if photo.vectors is not None]
    frames = {
        number: Frames(photo.moments, vectors)
        for number, (photo, vectors) in enumerate(zip(photos, own, strict=True))
        if photo.moments
    }
    return np.stack([vectors[0] for vectors in own]), frames
