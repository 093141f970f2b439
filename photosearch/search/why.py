"""Why a photo fits a query: what each term adds to its score, and where in the picture it shows.

To find where, a part of the picture is covered with its mean colour, to see how much less it is
like what was asked for; then all but that part is, to see how much is left. That needs no
gradients, so it works with any encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Encoder, ImageSettings
from photosearch.search.query import Described, Given, Pictured, Term

# Cells in a row of the map. A part is three cells wide and high, and the next one a cell further.
CELLS = 8
_PART = 3


@dataclass(frozen=True)
class Share:
    """What one term adds to the score of a photo; less than nothing for what it should not show.

    cosine: of the term and the photo. words: of a description of several, by how much the cosine
    falls without each of them.
    """

    term: str
    weight: float
    cosine: float
    adds: float
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Fitting:
    """Somebody in the photo whom the text names, and where the face is, as far as that is known:
    left, top, width and height, as shares of the upright picture.
    """

    name: str
    area: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Why:
    """Why the photo at `path` fits. The shares of the terms add up to the score.

    cutoff: the score from which on photos are found; None where there is none.
    grid: (8, 8), rows from the top, how much more than other cells of the picture each one adds to
    the cosine; of the `area` that the model sees: left, top, right, bottom, as shares of its sides.
    people: those in it whom the text names.
    """

    path: str
    score: float
    cutoff: float | None
    terms: tuple[Share, ...]
    grid: NDArray[np.float32]
    area: tuple[float, float, float, float]
    people: tuple[Fitting, ...] = ()

    @property
    def heat(self) -> NDArray[np.float32]:
        """The grid from 0 to 1, where 1 is the cell that counts most; all 0 when none counts."""
        above = np.maximum(self.grid, 0)
        return np.asarray(above / max(float(above.max()), 1e-6), np.float32)


def heat_map(
    encoder: Encoder,
    pixels: NDArray[np.uint8],
    photo: NDArray[np.float32],
    like: NDArray[np.float32],
) -> NDArray[np.float32]:
    """How much each cell of the pixels, whose vector is `photo`, adds to the cosine with `like`:
    (8, 8).

    The mean over the parts that hold it, of what the cosine loses when the part is covered and of
    what the part has alone, more than parts have on average.
    """
    edges = [np.linspace(0, length, CELLS + 1).round().astype(int) for length in pixels.shape[:2]]
    blank = np.broadcast_to(pixels.reshape(-1, 3).mean(0).round().astype(np.uint8), pixels.shape)
    starts = range(CELLS - _PART + 1)
    places = [(row, column) for row in starts for column in starts]
    without, alone = (np.repeat(each[None], len(places), axis=0) for each in (pixels, blank))
    for number, (row, column) in enumerate(places):
        part = tuple(
            slice(along[at], along[at + _PART])
            for along, at in zip(edges, (row, column), strict=True)
        )
        without[number][part] = blank[part]
        alone[number][part] = pixels[part]
    cosines = encoder.encode_pixels(np.concatenate([without, alone])) @ like
    loss, rest = np.split(cosines, 2)
    adds = (photo @ like - loss + rest - rest.mean()) / 2
    total, times = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    for value, (row, column) in zip(adds, places, strict=True):
        total[row : row + _PART, column : column + _PART] += value
        times[row : row + _PART, column : column + _PART] += 1
    return (total / times).astype(np.float32)


def seen_area(
    settings: ImageSettings, width: int, height: int
) -> tuple[float, float, float, float]:
    """Which part of a picture the model sees: left, top, right, bottom, as shares of its sides.

    They lie outside it, below 0 and above 1, where the model is shown more: a filling beside it.
    """
    if settings.resize == "squash":
        return 0.0, 0.0, 1.0, 1.0
    down, across = settings.shape
    ratios = width / across, height / down
    scale = max(ratios) if settings.resize == "longest" else min(ratios)
    aside, above = scale * across / width / 2, scale * down / height / 2
    return 0.5 - aside, 0.5 - above, 0.5 + aside, 0.5 + above


def shares(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    photo: NDArray[np.float32],
    terms: Sequence[Term],
    vectors: Sequence[NDArray[np.float32]],
    penalties: Sequence[float],
) -> tuple[Share, ...]:
    """What each term adds to the score of a unit vector; `penalties` are of those below 0.

    `encode` gives the unit vectors of texts.
    """
    liked = [term.weight > 0 for term in terms]
    counted = [one or not any(liked) for one in liked]
    total = sum(
        term.weight * vector
        for term, vector, count in zip(terms, vectors, counted, strict=True)
        if count
    )
    length = max(float(np.linalg.norm(total)), 1e-12)
    left = iter(penalties)
    found = []
    for term, vector, count in zip(terms, vectors, counted, strict=True):
        cosine = float(vector @ photo)
        adds = term.weight * cosine / length if count else 0.0 - next(left)
        words = _words(encode, photo, term, cosine) if term.weight > 0 else ()
        found.append(Share(name_of(term), term.weight, cosine, adds, words))
    return tuple(found)


def name_of(term: Term) -> str:
    """A term as it is written in the search box, without its weight."""
    match term.content:
        case Described(text):
            return text
        case Pictured(photo):
            return f"photo:{photo}"
        case Given(number):
            return f"image:{number}"


def _words(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    photo: NDArray[np.float32],
    term: Term,
    cosine: float,
) -> tuple[tuple[str, float], ...]:
    if not isinstance(term.content, Described):
        return ()
    # Of what is read as English, the words that the model is given.
    words = term.content.weighed[0][0].split()
    if len(words) < 2:
        return ()
    without = [" ".join(words[:n] + words[n + 1 :]) for n in range(len(words))]
    falls = cosine - encode(without) @ photo
    return tuple((word, float(fall)) for word, fall in zip(words, falls, strict=True))
