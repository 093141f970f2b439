"""A library of photos that exist only in the catalogue, of which everything is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from photosearch.encoders import Encoder, open_encoder

PLACES = (
    (Place("Rome", "Latium", "Italy"), 41.9, 12.5),
    (Place("Ostia", "Latium", "Italy"), 41.73, 12.28),
    (Place("München", "Bavaria", "Germany"), 48.14, 11.58),
    (None, None, None),
)
CAMERAS = ("Canon EOS R6", "NIKON Z 6", "Pixel 7", None)
SIZES = ((400, 300), (300, 400), (300, 300), (900, 300))
FORMATS = ("JPEG", "HEIC", "RAW", "VIDEO")


@dataclass(frozen=True)
class Known:
    """A photo as it was recorded; `vector` is what float16 left of it."""

    path: str
    width: int
    height: int
    format: str
    metadata: Metadata
    vector: np.ndarray


def make_library(folder: Path, bundle: Path, count: int = 400) -> tuple[Encoder, list[Known]]:
    """Record `count` photos with random vectors; each value stands with each other somewhere."""
    encoder = open_encoder(bundle)
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(count, encoder.dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = []
    for number, vector in enumerate(vectors.astype(np.float16)):
        draw = rng.integers(0, 4, size=5)
        place, north, east = PLACES[draw[0]]
        width, height = SIZES[draw[1]]
        day = rng.integers(0, 365 * 6)
        taken = str(np.datetime64("2018-01-01") + day) + "T12:00:00"
        metadata = Metadata(
            taken_at=None if number % 10 == 0 else taken,
            latitude=north,
            longitude=east,
            place=place,
            camera=CAMERAS[draw[2]],
            lens="RF 50mm F1.8" if draw[2] == 0 else None,
            rating=int(number % 7) - 1 if number % 7 else None,
            caption="Café at night" if number % 11 == 0 else None,
            keywords=("family", "Ünicode") if number % 13 == 0 else (),
        )
        path = f"/photos/{('trips', 'home', 'party')[number % 3]}/{number % 5}/IMG_{number:04d}.jpg"
        known.append(Known(path, width, height, FORMATS[draw[3]], metadata, vector))
    with Catalogue.open(folder) as catalogue:
        catalogue.record(
            encoder.bundle_id,
            [
                NewPhoto(
                    each.path,
                    FileStamp(1000 + number, number),
                    each.width,
                    each.height,
                    each.format,
                    number.to_bytes(32, "big"),
                    each.metadata,
                )
                for number, each in enumerate(known)
            ],
            vectors,
        )
    return encoder, known
