"""The demo's pictures as a family's photos: with dates, places and cameras."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import ExifTags, Image

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from demo import pictures

# When, where (degrees north and east) and with what each was taken.
TAKEN = {
    "astronaut.png": ("2019:07:20 10:15:00", (28.57, -80.65), "NIKON D750"),
    "bus.png": ("2021:03:02 08:05:00", (51.5, -0.12), "Pixel 6"),
    "chelsea.png": ("2023:05:14 18:20:00", (48.86, 2.35), "Pixel 6"),
    "cheetah.jpg": ("2018:08:03 07:41:10", (-2.33, 34.83), "NIKON D750"),
    "cheetah1.jpg": ("2018:08:03 07:41:11", (-2.33, 34.83), "NIKON D750"),
    "cheetah2.jpg": ("2018:08:03 07:41:12", (-2.33, 34.83), "NIKON D750"),
    "china.jpg": ("2017:10:09 15:30:00", (39.99, 116.27), "NIKON D750"),
    "clock_motion.png": ("2020:11:30 12:00:00", None, "Pixel 6"),
    "coffee.png": ("2023:05:15 09:02:00", (48.86, 2.35), "Pixel 6"),
    "coins.png": ("2016:01:05 20:00:00", None, None),
    "flower.jpg": ("2022:06:11 11:11:00", (45.46, 9.19), "Pixel 6"),
    "groot.jpeg": ("2022:12:24 19:30:00", (45.46, 9.19), "Pixel 6"),
    "lion.jpg": ("2018:08:04 16:02:00", (-2.33, 34.83), "NIKON D750"),
    "moon.png": ("2019:07:21 02:56:00", None, "NIKON D750"),
    "motorcycle_left.png": ("2021:09:09 14:00:00", (41.9, 12.5), "Pixel 6"),
    "motorcycle_right.png": ("2021:09:09 14:00:02", (41.9, 12.5), "Pixel 6"),
    "rocket.jpg": ("2019:07:19 06:30:00", (28.57, -80.65), "NIKON D750"),
    "tower.jpg": ("2023:05:16 21:10:00", (48.86, 2.29), "Pixel 6"),
}


def make_family_photos(folder: Path) -> list[Path]:
    """JPEGs in `folder`, by year; as many as there are pictures on this machine."""
    made = []
    for picture in pictures():
        when, where, camera = TAKEN.get(picture.name, (None, None, None))
        exif = Image.Exif()
        if camera:
            exif[ExifTags.Base.Model] = camera
        if when:
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = when
        if where:
            north, east = where
            exif.get_ifd(ExifTags.IFD.GPSInfo).update(
                {
                    1: "N" if north >= 0 else "S",
                    2: (abs(north), 0.0, 0.0),
                    3: "E" if east >= 0 else "W",
                    4: (abs(east), 0.0, 0.0),
                }
            )
        place = folder / (when[:4] if when else "scans")
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{picture.stem}.jpg"
        with Image.open(picture) as image:
            image.convert("RGB").save(path, "JPEG", quality=88, exif=exif)
        made.append(path)
    return made
