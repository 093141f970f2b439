"""Large libraries to search in, made without photos."""

from __future__ import annotations

from pathlib import Path

from benchmarks.synthetic import photo_vectors
from index import Catalogue, FaissIndex, FileStamp, NewPhoto
from photosearch.encoders import Encoder
from photosearch.encoders.typical import TYPICAL


def make_library(folder: Path, encoder: Encoder, photos: int) -> None:
    """A library of so many photos; one that is already there is taken as it is."""
    if (folder / "catalogue.db").is_file():
        return
    # Made beside its place, so that one whose making was stopped is not taken for whole.
    beside = folder.with_name(f"{folder.name}.part")
    with Catalogue.open(beside) as catalogue:
        number = 0
        for rows in photo_vectors(encoder, photos):
            some = [
                NewPhoto(
                    f"/photos/{one // 1000:04}/IMG_{one:07}.jpg",
                    FileStamp(3_000_000 + one, 1_600_000_000_000_000_000 + one),
                    4000,
                    3000,
                    "JPEG",
                    one.to_bytes(32, "big"),
                )
                for one in range(number, number + len(rows))
            ]
            catalogue.record(encoder.bundle_id, some, rows)
            number += len(rows)
        catalogue.add_folder("/photos")
        catalogue.use_bundle(encoder.bundle_id)
        FaissIndex.refresh(catalogue, encoder.bundle_id, lambda: encoder.encode_texts(TYPICAL))
    beside.rename(folder)
