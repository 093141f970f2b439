"""A library of somebody's life, made without photos: at home, on trips, and undated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.synthetic import photo_vectors
from index import Catalogue, FaissIndex, FileStamp, Metadata, NewPhoto, Place
from photosearch.encoders import Encoder
from photosearch.encoders.typical import TYPICAL
from photosearch.thumbnail_files import GRID, place_of

HOME = (52.52, 13.405, Place("Berlin", "Berlin", "Germany"))
AWAY = (
    (41.89, 12.48, Place("Rome", "Lazio", "Italy")),
    (43.77, 11.25, Place("Florence", "Tuscany", "Italy")),
    (38.72, -9.14, Place("Lisbon", "Lisbon", "Portugal")),
    (48.85, 2.35, Place("Paris", "Ile-de-France", "France")),
    (59.33, 18.07, Place("Stockholm", "Stockholm", "Sweden")),
    (35.68, 139.69, Place("Tokyo", "Tokyo", "Japan")),
)
# Widths and heights, and how often they are met.
_SHAPES = ((4000, 3000), (3000, 4000), (4000, 2250), (6000, 4000), (9000, 3000), (3000, 3000))
_OFTEN = (0.45, 0.25, 0.12, 0.12, 0.02, 0.04)
_UNDATED = 0.02
_PICTURES = 24  # different ones, which photos share


def make_life(
    folder: Path, photos: int, encoder: Encoder, *, searched: bool = False, seed: int = 0
) -> None:
    """A library of so many photos, with the pictures of the grid; one that is there stays.

    No photo is there as a file. All have the same vector, unless they are to be `searched`.
    """
    if (folder / "catalogue.db").is_file():
        return
    beside = folder.with_name(f"{folder.name}.part")
    random = np.random.default_rng(seed)
    with Catalogue.open(beside) as catalogue:
        made = _photos(photos, random)
        for vectors in (photo_vectors if searched else _alike)(encoder, photos):
            catalogue.record(encoder.bundle_id, list(islice(made, len(vectors))), vectors)
        catalogue.use_bundle(encoder.bundle_id)
        if searched:
            FaissIndex.refresh(catalogue, encoder.bundle_id, lambda: encoder.encode_texts(TYPICAL))
    _keep_pictures(beside, random)
    beside.rename(folder)


def _alike(encoder: Encoder, count: int, *, batch: int = 20_000) -> Iterator[NDArray[np.float32]]:
    """`count` times one unit vector, float32 (n, d), so many at a time."""
    for start in range(0, count, batch):
        yield np.full((min(batch, count - start), encoder.dim), encoder.dim**-0.5, np.float32)


def _photos(count: int, random: np.random.Generator) -> Iterator[NewPhoto]:
    undated = round(count * _UNDATED)
    moments = _moments(random)
    for number in range(count):
        metadata = Metadata()
        if number >= undated:
            taken, (north, east, place) = next(moments)
            metadata = Metadata(
                taken.isoformat(), latitude=north, longitude=east, place=place, camera="X100"
            )
        width, height = _SHAPES[random.choice(len(_SHAPES), p=_OFTEN)]
        yield NewPhoto(
            f"/photos/{number // 1000:04}/IMG_{number:07}.jpg",
            FileStamp(3_000_000 + number, 1_600_000_000_000_000_000 + number),
            width,
            height,
            ("VIDEO" if number % 31 == 0 else "RAW" if number % 37 == 0 else "JPEG"),
            _digest(number),
            metadata,
        )


def _moments(random: np.random.Generator) -> Iterator[tuple[datetime, tuple[float, float, Place]]]:
    """When and where one photo after the other is taken, from 2004 on."""
    day = datetime(2004, 1, 3)
    while True:
        day += timedelta(days=int(random.choice([1, 1, 2, 4])))
        yield from _of_day(day, HOME, int(random.choice([1, 2, 4, 9, 30])), random)
        if random.random() < 0.03:
            for _ in range(random.integers(2, 12)):
                day += timedelta(days=1)
                where = AWAY[random.integers(len(AWAY))]
                yield from _of_day(day, where, int(random.integers(20, 120)), random)


def _of_day(
    day: datetime, where: tuple[float, float, Place], count: int, random: np.random.Generator
) -> Iterator[tuple[datetime, tuple[float, float, Place]]]:
    moment = day + timedelta(hours=9)
    for _ in range(count):
        # Now and then the finger stays on the button.
        moment += timedelta(seconds=1 if random.random() < 0.2 else int(random.integers(5, 300)))
        yield moment, where


def _digest(number: int) -> bytes:
    """Of which the first 20 bytes name the picture of the grid."""
    return bytes([number % _PICTURES]).ljust(20, b"\0") + number.to_bytes(12, "big")


def _keep_pictures(library: Path, random: np.random.Generator) -> None:
    """Small pictures of plain colours and noise, as after some use."""
    for number in range(_PICTURES):
        place = place_of(library, _digest(number))
        place.parent.mkdir(parents=True, exist_ok=True)
        noise = random.integers(-30, 30, (12, 16, 3)) + random.integers(60, 200, 3)
        Image.fromarray(noise.astype(np.uint8)).resize((GRID, GRID * 3 // 4)).save(
            place, quality=80
        )
