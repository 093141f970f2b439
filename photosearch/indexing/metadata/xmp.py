"""XMP: what editors and photo managers write, inside a picture or in a file beside it."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.findings import Findings

# Develop settings make some sidecars long; beyond this it is no description of a photo.
LONGEST = 4 << 20
# RDF about a photo has some ten levels.
_DEPTH = 64
_BETWEEN = " "  # namespace and name, as expat joins them; no name holds a blank
_RDF = f"http://www.w3.org/1999/02/22-rdf-syntax-ns#{_BETWEEN}"
_LANGUAGE = f"http://www.w3.org/XML/1998/namespace{_BETWEEN}lang"
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
}
_LISTS = (f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt")
_COORDINATE = re.compile(
    r"\s*(\d{1,3})[, ]+(\d{1,2}(?:\.\d+)?)(?:[, ]+(\d+(?:\.\d+)?))?\s*([NSEWnsew])"
)


class _RefusedError(Exception):
    pass


def from_xmp(content: bytes) -> Findings:
    """What the XMP in `content` says; as far as it goes, where it is damaged."""
    said = _properties(content)

    def first(*names: str) -> str | None:
        return next((said[name][0] for name in names if said.get(name)), None)

    def number(*names: str) -> float | None:
        return _number(first(*names))

    dates = (
        values.moment(first(name))
        for name in ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
    )
    iso = values.positive(number("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"), 1e7)
    return Findings(
        taken=next((date for date in dates if date is not None), None),
        position=values.coordinates(
            _degrees(first("exif:GPSLatitude")), _degrees(first("exif:GPSLongitude"))
        ),
        camera=values.camera(values.text(first("tiff:Make")), values.text(first("tiff:Model"))),
        lens=values.text(first("exifEX:LensModel", "aux:Lens")),
        exposure_time=values.positive(number("exif:ExposureTime"), 1e6),
        f_number=values.positive(number("exif:FNumber"), 1000),
        iso=None if iso is None else int(iso),
        focal_length=values.positive(number("exif:FocalLength"), 100_000),
        rating=values.rating(first("xmp:Rating")),
        caption=values.long_text(first("dc:description", "dc:title")),
        keywords=values.words(said.get("dc:subject", ()))
        or values.words(tag.rsplit("/", 1)[-1] for tag in said.get("digiKam:TagsList", ())),
    )


def _properties(content: bytes) -> dict[str, list[str]]:
    """The values of each property of a namespace that is known, as "dc:subject".

    Of a text in several languages the default comes first. A document with a DOCTYPE is not read:
    XMP has none, and only there entities are declared, by which a short text can grow without end.
    """
    parser = expat.ParserCreate(namespace_separator=_BETWEEN)
    parser.buffer_text = True
    reader = _Reader()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    # Packets are padded, sometimes with NUL, which XML does not know.
    body = content[:LONGEST].rstrip(b"\0 \r\n\t")
    # A LookupError or ValueError is about the encoding that it names.
    with suppress(expat.ExpatError, _RefusedError, ValueError, LookupError):
        parser.Parse(body, True)
    return reader.said


def _refuse(*_: Any) -> None:
    raise _RefusedError


class _Reader:
    """Takes the properties of top level descriptions; what is deeper, such as a history, is not."""

    def __init__(self) -> None:
        self.said: dict[str, list[str]] = defaultdict(list)
        self._path: list[str] = []
        self._text: list[str] = []
        self._default = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text = []
        if len(self._path) > _DEPTH:
            raise _RefusedError
        if self._path[-2:] == [f"{_RDF}RDF", f"{_RDF}Description"]:
            for key, value in attributes.items():
                self._add(key, value)
        self._default = attributes.get(_LANGUAGE) == "x-default"

    def text(self, part: str) -> None:
        self._text.append(part)

    def end(self, name: str) -> None:
        said = "".join(self._text).strip()
        self._text = []
        holder = next(
            (place for place, element in enumerate(self._path) if element == f"{_RDF}RDF"), None
        )
        below = [] if holder is None else self._path[holder + 1 :]
        match below:
            case [_, found] if said:
                self._add(found, said)
            case [_, found, kind, item] if kind in _LISTS and item == f"{_RDF}li" and said:
                self._add(found, said, first=self._default)
        self._path.pop()

    def _add(self, name: str, value: str, *, first: bool = False) -> None:
        known = _NAMES.get(name.partition(_BETWEEN)[0])
        if known is None:
            return
        values_so_far = self.said[f"{known}:{name.rpartition(_BETWEEN)[2]}"]
        values_so_far.insert(0 if first else len(values_so_far), value)


_NAMES = {address: prefix for prefix, address in _SPACES.items()}


def _number(text: str | None) -> float | None:
    """Of "28/10" or "2.8"."""
    above, _, below = (text or "").partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _degrees(text: str | None) -> float | None:
    """Of "52,30.5N" or "52,30,30N"."""
    match = _COORDINATE.match(text or "")
    if match is None:
        return None
    degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return -degrees if match[4].upper() in "SW" else degrees
