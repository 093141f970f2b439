"""Vectors like those of a large photo library, for a model's own texts to be searched in.

Random vectors would not do: they have no neighbours, no clusters, and nothing in common with a
text. Here a photo is the vector of a caption, moved away as photos lie apart from texts, with the
differences that photos of one caption have. The numbers below were chosen so that 5,952 of them
are as alike as 5,952 real photos encoded by MobileCLIP-Nano, or a little less, which makes clusters
find less. Medians, real first: the length of their mean 0.56 and 0.59, the cosine of two of them
0.30 and 0.33, of one and its nearest 0.93 and 0.92, its tenth nearest 0.87 and 0.80, the local
dimension 7.5 and 8.9, and the cosine of a description and the photo nearest to it 0.57 and 0.58.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Encoder

_WHO = """
a dog; a cat; two children; a baby; a bride and groom; an old man; a woman with a hat; a
cyclist; a group of friends; a football team; a red car; a train; a sailing boat; an aeroplane;
a horse; a flock of birds; an insect on a flower; a birthday cake; a plate of food; a cup of
coffee; a bunch of flowers; a guitar player; a statue; a church; a tall building; a bridge; a
waterfall; a mountain; a tent; a Christmas tree; a computer; a whiteboard; a receipt; a
screenshot; a map; a bicycle; a fire; a balloon; a painting; a shop window
"""
_WHERE = """
on a beach; in the snow; in a forest; in a kitchen; in a living room; in a garden; on a street;
at a market; in a park; by a lake; in the mountains; at a station; in a museum; in a restaurant;
at a party; on a boat; in a desert; in a city; in an office; on a balcony; in a car; at school;
in a stadium; in a swimming pool; in a field
"""
_HOW = """
at sunset; at night; in the rain; in bright sunlight; close up; from far away; in black and
white; out of focus; in fog; indoors with a flash
"""

_GAP, _CAPTION, _OWN = 0.56, 0.70, 0.33
_RANK = 24  # directions in which photos of one caption differ


def captions() -> list[str]:
    """10,000 of them, of who, where and how."""
    parts = (" ".join(text.split()).split("; ") for text in (_WHO, _WHERE, _HOW))
    return [" ".join(chosen) for chosen in product(*parts)]


def photo_vectors(
    encoder: Encoder, count: int, *, batch: int = 20_000, seed: int = 0
) -> Iterator[NDArray[np.float32]]:
    """`count` unit vectors float32 (n, d), so many at a time."""
    texts = encoder.encode_texts(captions())
    mean = texts.mean(axis=0)
    apart = texts - mean
    # The main directions in which texts differ, each by its spread.
    _, spread, directions = np.linalg.svd(apart, full_matrices=False)
    own = directions[:_RANK] * spread[:_RANK, None]
    own /= np.linalg.norm(own)
    apart /= np.linalg.norm(apart, axis=1, keepdims=True)
    random = np.random.default_rng(seed)
    # Photos lie in a direction of their own, as well as in that of texts.
    gap = random.standard_normal(encoder.dim, np.float32)
    gap = _GAP * (0.85 * gap / np.linalg.norm(gap) + 0.53 * mean / np.linalg.norm(mean))
    # People take many photos of a few things.
    often = random.pareto(1.2, len(texts)) + 0.1
    often /= often.sum()
    for start in range(0, count, batch):
        number = min(batch, count - start)
        about = apart[random.choice(len(texts), number, p=often)]
        differing = random.standard_normal((number, len(own)), np.float32) @ own
        rows = gap + _CAPTION * about + _OWN * differing
        yield (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
