"""Photos of a library on which two encoders are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from index import Catalogue
from photosearch.encoders.preprocess import Preprocess
from photosearch.errors import UsageError
from photosearch.indexing.decode import Decoded
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.rereading import sizes_elsewhere

# Photos of fewer tell too little of what is found first.
FEWEST, _MOST = 100, 200
# What no model is called.
_NOBODY = ""


def some_photos(
    catalogue: Catalogue, preprocess: Preprocess, decoding: Decoding
) -> NDArray[np.uint8]:
    """Up to 200 photos that are spread over the library, preprocessed (n, S, S, 3).

    Raises `UsageError` where fewer than 100 can be read.
    """
    total = catalogue.waiting_count(_NOBODY)
    places = np.linspace(0, total, min(total, _MOST), endpoint=False).astype(int)
    # Contents are numbered from 1, with few gaps.
    found = (catalogue.waiting(_NOBODY, after=int(place), limit=1) for place in places)
    files = {each.path: each for some in found for each in some}
    paths = sorted(files)
    pixels = []
    if len(paths) >= FEWEST:
        with decoding.pool(preprocess, len(paths)) as pool:
            pixels = [
                result.outcome.pixels
                for result in pool.decode(paths, sizes=sizes_elsewhere(paths, files))
                if result is not None and isinstance(result.outcome, Decoded)
            ]
    if len(pixels) < FEWEST:
        raise UsageError(
            f"models are compared on photos of yours, {FEWEST} at least, and {len(pixels)} can be "
            "read; add some with `photosearch index FOLDER`"
        )
    return np.stack(pixels)
