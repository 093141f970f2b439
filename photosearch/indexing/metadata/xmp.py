"""XMP: what editors and photo managers write, inside a picture or in a file beside it."""

from __future__ import annotations

import re

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.dates import parsed
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.keywords import categories, keywords, levels_of
from photosearch.indexing.metadata.rdf import LONGEST, packet_of
from photosearch.indexing.metadata.regions import faces_in, names_in

__all__ = ["LONGEST", "from_xmp"]

_DATES = (
    "exif:DateTimeOriginal", "photoshop:DateCreated", "exif:DateTimeDigitized", "xmp:CreateDate",
)  # fmt: skip
_CAPTIONS = (
    "dc:description", "tiff:ImageDescription", "acdsee:notes", "dc:title", "photoshop:Headline",
    "acdsee:caption", "exif:UserComment",
)  # fmt: skip
# Programs that keep a tree of keywords, and what stands between its levels.
TREES = {
    "lr:hierarchicalSubject": "|", "digiKam:TagsList": "/", "MicrosoftPhoto:LastKeywordXMP": "/",
    "mediapro:CatalogSets": "|",
}  # fmt: skip
_NUMBER = r"\d+(?:\.\d+)?(?:/\d+)?"
_SIGN = r"(?:north|south|east|west|[nsew])"
_COORDINATE = re.compile(
    rf"\s*(?P<before>{_SIGN})?\s*(?P<minus>[-+])?(?P<degrees>{_NUMBER})"
    rf"(?:\s*(?:°|deg|,|\s)\s*(?P<minutes>{_NUMBER}))?"
    rf"(?:\s*(?:'|,|\s)\s*(?P<seconds>{_NUMBER}))?"
    rf"\s*(?:°|deg|\"|'{{1,2}})?\s*(?P<after>{_SIGN})?\s*\Z",
    re.IGNORECASE,
)
# Degrees, minutes and seconds, as they are printed; in two primes for seconds, too.
_MARKS = str.maketrans({"\u00ba": "°", "\u2032": "'", "\u2019": "'", "\u2033": '"', "\u201d": '"'})
_LONGEST = 64
_DECIMAL_COMMA = re.compile(r"[-+]?\d{1,3},\d{3,}")


def from_xmp(content: bytes) -> Findings:
    """What the XMP in `content` says; as far as it goes, where it is damaged."""
    packet = packet_of(content)
    said = packet.said

    def first(*names: str) -> str | None:
        return next((said[name][0] for name in names if said.get(name)), None)

    def number(*names: str) -> float | None:
        return _number(first(*names))

    dates = [parsed(value) for name in _DATES for value in said.get(name, ())[:1]]
    iso = values.positive(number("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"), 1e7)
    stars = values.rating(first("xmp:Rating"))
    if stars is None:
        stars = _of_percent(number("MicrosoftPhoto:Rating"))
    return Findings(
        taken=tuple(date for date in dates if date is not None) or None,
        position=values.coordinates(
            _degrees(first("exif:GPSLatitude"), first("exif:GPSLatitudeRef")),
            _degrees(first("exif:GPSLongitude"), first("exif:GPSLongitudeRef")),
        ),
        camera=values.camera(values.text(first("tiff:Make")), values.text(first("tiff:Model"))),
        lens=values.text(first("exifEX:LensModel", "aux:Lens")),
        exposure_time=values.positive(number("exif:ExposureTime"), 1e6),
        f_number=values.positive(number("exif:FNumber"), 1000),
        iso=None if iso is None else int(iso),
        focal_length=values.positive(number("exif:FocalLength"), 100_000),
        rating=stars if stars is not None else values.rating(first("acdsee:rating")),
        caption=next((words for name in _CAPTIONS if (words := values.caption(first(name)))), None),
        keywords=_keywords(said),
        people=values.words([*names_in(packet), *said.get("Iptc4xmpExt:PersonInImage", ())]),
        faces=faces_in(packet),
    )


def _keywords(said: dict[str, list[str]]) -> tuple[str, ...] | None:
    flat = [*said.get("dc:subject", ()), *said.get("acdsee:keywords", ())]
    paths = [levels_of(path, mark) for name, mark in TREES.items() for path in said.get(name, ())]
    for text in said.get("acdsee:categories", ()):
        paths += categories(text)
    return keywords(flat, paths)


def _of_percent(rating: float | None) -> int | None:
    """Stars of the 1, 25, 50, 75 or 99 that Windows writes."""
    if rating is None or not 0 <= rating <= 100:
        return None
    return 0 if rating == 0 else min(5, 1 + int(rating + 12) // 25)


def _number(text: str | None) -> float | None:
    """Of "28/10" or "2.8"."""
    above, _, below = (text or "").partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _degrees(text: str | None, reference: str | None) -> float | None:
    """Of "52,30.5N", "52,30,30N", "52.5" with a reference of its own, or what programs print."""
    if text is not None and _DECIMAL_COMMA.fullmatch(text.strip()):
        text = text.replace(",", ".")
    said = (text or "").strip()
    # Of a long one the blanks would take for ever.
    match = _COORDINATE.match(said.translate(_MARKS)) if len(said) <= _LONGEST else None
    if match is None:
        return None
    parts = [_number(match[name]) for name in ("degrees", "minutes", "seconds") if match[name]]
    if any(part is None for part in parts):
        return None
    degrees: float = sum(part / 60**power for power, part in enumerate(parts) if part is not None)
    side = (match["after"] or match["before"] or (reference or "").strip() or "N")[0].upper()
    return -degrees if side in "SW" or match["minus"] == "-" else degrees
