"""A library of photos as the bundled model sees them."""

from __future__ import annotations

from pathlib import Path

from photosearch import Library
from photosearch.encoders.registry import bundled_path


def index_bundled(place: Path) -> Path:
    """Index the photos in `place`/photos into `place`/library; gives `place`."""
    with Library.open(place / "library", model=bundled_path()) as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
    return place
