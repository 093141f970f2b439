"""A library of real and drawn pictures of which much is known, and what people ask of it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from bundled_library import index_bundled
from photo_metadata import bag, exif, xmp
from PIL import Image, ImageDraw

from index import Catalogue
from photosearch import Library

QUERIES = Path(__file__).parent / "data" / "plain_words.tsv"

ROME, NEW_YORK, PARIS = (41.9, 12.5), (40.71, -74.0), (48.86, 2.35)
MUNICH, NICE, READING = (48.14, 11.58), (43.7, 7.26), (51.455, -0.97)
LISBON, TOKYO, KENYA = (38.72, -9.14), (35.69, 139.69), (-1.29, 36.82)
NIKON, CANON = ("NIKON CORPORATION", "NIKON D750"), ("Canon", "Canon EOS R6")
PIXEL, PHONE = ("Google", "Pixel 6"), ("Apple", "iPhone 13 Pro")


@dataclass(frozen=True)
class Pictured:
    """A photo: the file it becomes, the picture it shows, and what is said and read of it."""

    file: str
    shows: str
    where: tuple[float, float] | None = None
    camera: tuple[str, str] | None = None
    taken: str = "2020:01:01 12:00:00"
    caption: str = ""
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    text: str = ""


PHOTOS = (
    Pictured("Rome 2021/IMG_2041.jpg", "motorcycle_left", ROME, PIXEL, "2021:07:09 14:00:00"),
    Pictured("Rome 2021/IMG_2042.jpg", "coins", ROME, PIXEL, "2021:07:09 15:00:00",
             keywords=("souvenirs",)),
    Pictured("Rome 2021/IMG_2050.jpg", "gravel", ROME, PHONE, "2021:07:10 15:00:00",
             people=("Anna Berger",)),
    Pictured("Holiday/DSC_0101.jpg", "brick", LISBON, NIKON, "2019:08:01 10:00:00",
             caption="Old wall in the Alfama"),
    Pictured("Holiday/DSC_0102.jpg", "red", LISBON, NIKON, "2019:08:02 10:00:00",
             keywords=("tram",), people=("Tom Berger",)),
    Pictured("Work trips/P1000001.jpg", "clock_motion", NEW_YORK, CANON, "2018:03:01 09:00:00"),
    Pictured("Work trips/P1000002.jpg", "blue", NEW_YORK, CANON, "2018:03:02 09:00:00",
             caption="View from the office"),
    Pictured("Paris/P2000001.jpg", "coffee", PARIS, CANON, "2023:05:15 09:02:00",
             people=("Anna Berger",)),
    Pictured("Paris/P2000002.jpg", "stripes", PARIS, CANON, "2023:05:16 09:02:00",
             keywords=("museum", "art")),
    Pictured("Home/P3000001.jpg", "chelsea", MUNICH, PHONE, "2022:11:05 18:00:00",
             keywords=("Mimi", "pets")),
    Pictured("Home/P3000002.jpg", "green", MUNICH, PHONE, "2022:11:06 18:00:00",
             caption="Grandma's birthday", people=("Rose Huber",)),
    Pictured("Riviera/P4000001.jpg", "grass", NICE, NIKON, "2017:06:01 12:00:00"),
    Pictured("Riviera/P4000002.jpg", "yellow", NICE, NIKON, "2017:06:02 12:00:00"),
    Pictured("England/P5000001.jpg", "page", READING, PIXEL, "2016:04:01 12:00:00"),
    Pictured("England/P5000002.jpg", "grey", READING, PIXEL, "2016:04:02 12:00:00"),
    Pictured("Space/P6000001.jpg", "rocket", None, None, "2015:01:01 12:00:00",
             caption="Launch at the Cape"),
    Pictured("Space/P6000002.jpg", "astronaut", None, None, "2015:01:02 12:00:00"),
    Pictured("Space/P6000003.jpg", "moon", None, None, "2015:01:03 12:00:00"),
    Pictured("Japan/P7000001.jpg", "violet", TOKYO, CANON, "2014:04:02 12:00:00",
             keywords=("cherry blossom", "Places|Ueno Park")),
    Pictured("Japan/P7000002.jpg", "camera", TOKYO, CANON, "2014:04:03 12:00:00"),
    Pictured("Safari/P8000001.jpg", "brown", KENYA, NIKON, "2018:08:03 07:00:00",
             keywords=("giraffe",)),
    Pictured("Scans/scan0001.jpg", "white", text="BOARDING PASS LH 1234 MUC LIS GATE B12"),
    Pictured("Scans/scan0002.jpg", "text", text="Grand Hotel Rechnung 240 EUR"),
    Pictured("Scans/scan0003.jpg", "lines", text="Mietvertrag Wohnung Hauptstrasse 12"),
    Pictured("Phone/Screenshot_20200510-101010.jpg", "dark", taken="2020:05:10 10:10:10"),
    Pictured("Phone/wifi-router-label.jpg", "pale", camera=PHONE),
    Pictured("Phone/P9000001.jpg", "long", LISBON, PHONE, "2020:06:01 12:00:00"),
)  # fmt: skip
ALBUMS = {
    "Favourite spots": ("Riviera/P4000001.jpg", "Japan/P7000001.jpg"),
    "Wedding": ("Home/P3000002.jpg", "Paris/P2000002.jpg"),
    "hat": ("Work trips/P1000002.jpg",),
}


def make_library(place: Path) -> Path:
    """Index all of them with the bundled model into `place`/library; gives `place`."""
    for photo in PHOTOS:
        path = place / "photos" / photo.file
        path.parent.mkdir(parents=True, exist_ok=True)
        _picture(photo.shows).save(path, "JPEG", exif=_exif(photo), xmp=_xmp(photo))
    index_bundled(place)
    with Catalogue.open(place / "library") as catalogue:
        read = {photo.file: photo.text for photo in PHOTOS}
        catalogue.readings.put(
            {
                content: read[Path(path).relative_to(place / "photos").as_posix()]
                for content, path in catalogue.readings.unread()
            }
        )
    with Library.open(place / "library") as library:
        for name, files in ALBUMS.items():
            album = library.albums.create(name)
            wanted = {str(place / "photos" / file) for file in files}
            hits = library.search("-type:gif", limit=len(PHOTOS))
            library.albums.add_photos([hit.photo_id for hit in hits if hit.path in wanted], album)
    return place


def queries() -> list[tuple[str, frozenset[str]]]:
    """What people type, and the files of the photos that are right."""
    rows = (line.split("\t") for line in QUERIES.read_text(encoding="utf-8").splitlines())
    return [(text, frozenset(right.split())) for text, right in rows]


def _picture(shows: str) -> Image.Image:
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    for suffix in ("png", "jpg"):
        path = Path(spec.origin).parent / "data" / f"{shows}.{suffix}"
        if path.exists():
            with Image.open(path) as opened:
                return opened.convert("RGB")
    return _drawn(shows)


def _drawn(shows: str) -> Image.Image:
    """Colours and lines, which look like nothing in particular."""
    colours = {"dark": "#202830", "pale": "#e8e4d8", "long": "#8090a0", "lines": "#fafafa",
               "stripes": "#d0c0a0", "grey": "#777777"}  # fmt: skip
    size = (1500, 400) if shows == "long" else (400, 300)
    picture = Image.new("RGB", size, colours.get(shows, shows))
    draw = ImageDraw.Draw(picture)
    step = 20 + len(shows) * 7
    for at in range(0, size[0], step):
        if shows in ("lines", "stripes", "long", "dark"):
            draw.line((at, 0, at, size[1]), "#606060", 1 + len(shows) % 4)
        else:
            draw.point((at, at % size[1]), "#000000")
    return picture


def _exif(photo: Pictured) -> Image.Exif:
    make, model = photo.camera or (None, None)
    first = {0x010F: make, 0x0110: model} if model else {}
    where = {}
    if photo.where is not None:
        north, east = photo.where
        where = {1: "N" if north >= 0 else "S", 2: (abs(north), 0.0, 0.0),
                 3: "E" if east >= 0 else "W", 4: (abs(east), 0.0, 0.0)}  # fmt: skip
    return exif(first, {0x9003: photo.taken}, where)


def _xmp(photo: Pictured) -> bytes:
    said = bag("dc:subject", *photo.keywords)
    if photo.people:
        said += bag("Iptc4xmpExt:PersonInImage", *photo.people)
    if photo.caption:
        said += (
            '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
            f"{photo.caption}</rdf:li></rdf:Alt></dc:description>"
        )
    return xmp(said, 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"')
