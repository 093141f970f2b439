"""The properties in a packet of XMP, which is RDF in XML, however it is written."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from typing import Any
from xml.parsers import expat

# Develop settings make some sidecars long; beyond this it is no description of a photo.
LONGEST = 4 << 20
# RDF about a photo has some ten levels.
_DEPTH = 64
_BETWEEN = " "  # namespace and name, as expat joins them; no name holds a blank
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDF = f"{RDF}{_BETWEEN}"
_LANGUAGE = f"http://www.w3.org/XML/1998/namespace{_BETWEEN}lang"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
}
# Some writers leave the last letter of a namespace off.
_NAMES = {address.rstrip("/#"): prefix for prefix, address in SPACES.items()}
_LISTS = (f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt")
_DESCRIPTION, _ITEM, _VALUE = f"{_RDF}Description", f"{_RDF}li", f"{_RDF}value"
# What outlines people in a picture, with their names.
_REGIONS = ("mwg-rs:Regions", "MP:RegionInfo")
_NAMED = ("mwg-rs:Name", "MPReg:PersonDisplayName")
_KIND = "mwg-rs:Type"

_ORDERS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)  # fmt: skip
_CONTROLS = bytes({*range(32)} - {9, 10, 13})
_CONTROL_REFERENCES = re.compile(rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcefBCEF]|1.));")
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:xmpmeta|xapmeta|RDF)\b")


class _RefusedError(Exception):
    pass


def properties(content: bytes) -> dict[str, list[str]]:
    """The values of each property of a namespace that is known, as "dc:subject".

    Of a text in several languages the default comes first. The names of people in regions are at
    "people". A property is read alike as an attribute, a text, or a list of any kind with one value
    or more. What is damaged is mended where that is common, or else read as far as it goes.

    A document with a DOCTYPE is not read: XMP has none, and only there entities are declared, by
    which a short text can grow without end.
    """
    body, coding = _body(content[:LONGEST])
    reader, fault = _parsed(body, coding)
    if fault is not None:
        mended = _mended(body, fault)
        if mended is not None:
            again, _ = _parsed(mended, "utf-8")
            reader = max(reader, again, key=lambda one: sum(map(len, one.said.values())))
    return dict(reader.said)


def _body(content: bytes) -> tuple[bytes, str | None]:
    """From the first angle bracket to the last, and its encoding where that is no matter of XML.

    Packets are padded, and some files hold a mark or a line before them.
    """
    head = content.lstrip(b" \t\r\n")[:4]
    coding = next((name for mark, name in _ORDERS if head.startswith(mark)), None)
    if coding is not None:
        start = len(content) - len(content.lstrip(b" \t\r\n"))
        content = content[start:].decode(coding, "replace").encode("utf-8", "replace")
    content = content.translate(None, _CONTROLS)
    first, last = content.find(b"<"), content.rfind(b">")
    return content[max(first, 0) : last + 1], None if coding is None else "utf-8"


def _mended(body: bytes, fault: int) -> bytes | None:
    """`body` without what some writers do wrong, if that is what the parser tripped over."""
    if fault == expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]:
        lacking = [
            f' xmlns:{prefix}="{address}"'.encode()
            for prefix, address in (SPACES | {"rdf": RDF}).items()
            if f"xmlns:{prefix}=".encode() not in body
        ]
        return _ROOT.sub(lambda found: found[0] + b"".join(lacking), body, count=1)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    # Its own word on the encoding may be what is wrong.
    plain = re.sub(r"^<\?xml[^>]*\?>", "", text).encode("utf-8", "replace")
    return _CONTROL_REFERENCES.sub(b"", plain)


def _parsed(body: bytes, coding: str | None) -> tuple[_Reader, int | None]:
    """What was read, and the number of the fault that ended it, if one did."""
    parser = expat.ParserCreate(coding, namespace_separator=_BETWEEN)
    parser.buffer_text = True
    reader = _Reader()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        return reader, error.code
    except _RefusedError:
        return _Reader(), None
    # About the encoding that it names.
    except (ValueError, LookupError):
        return reader, 0
    return reader, None


def _refuse(*_: Any) -> None:
    raise _RefusedError


class _Reader:
    """Takes the properties of top level descriptions; what is deeper, such as a history, is not."""

    def __init__(self) -> None:
        self.said: dict[str, list[str]] = defaultdict(list)
        self._path: list[str] = []
        self._text: list[str] = []
        self._default = False
        self._top: int | None = None  # where in the path rdf:RDF is
        self._region: dict[str, str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text = []
        if len(self._path) > _DEPTH:
            raise _RefusedError
        if self._top is None:
            if name == f"{_RDF}RDF":
                self._top = len(self._path)
            return
        below = len(self._path) - self._top
        if below == 1 and name == _DESCRIPTION:
            for key, value in attributes.items():
                self._add(key, value)
        elif below == 2:
            self._default = False
        elif self._in_regions():
            if name == _ITEM:
                self._told()
                self._region = {}
            for key, value in attributes.items():
                self._outline(key, value)
        if name == _ITEM:
            self._default = attributes.get(_LANGUAGE) == "x-default"

    def text(self, part: str) -> None:
        self._text.append(part)

    def end(self, name: str) -> None:
        said = "".join(self._text).strip()
        self._text = []
        if self._top is not None:
            below = self._path[self._top :]
            if self._in_regions():
                if said:
                    self._outline(name, said)
                if name == _ITEM or len(below) == 2:
                    self._told()
            elif said:
                self._take(below, said)
            if len(self._path) == self._top:
                self._top = None
        self._path.pop()

    def _take(self, below: list[str], said: str) -> None:
        # A value with qualifiers is wrapped once more.
        while below[-1] == _VALUE:
            below = below[:-1]
            if below and below[-1] == _DESCRIPTION and len(below) > 2:
                below = below[:-1]
        match below:
            case [_, found]:
                self._add(found, said)
            case [_, found, kind, item] if kind in _LISTS and item == _ITEM:
                self._add(found, said, first=self._default)

    def _in_regions(self) -> bool:
        assert self._top is not None
        return (
            len(self._path) > self._top + 1 and property_name(self._path[self._top + 1]) in _REGIONS
        )

    def _outline(self, key: str, value: str) -> None:
        name = property_name(key)
        if self._region is not None and name in (*_NAMED, _KIND):
            self._region["kind" if name == _KIND else "name"] = value

    def _told(self) -> None:
        """A region has ended; its kind may be told after its name."""
        region, self._region = self._region, None
        if region and "name" in region and region.get("kind", "Face") == "Face":
            self.said["people"].append(region["name"])

    def _add(self, name: str, value: str, *, first: bool = False) -> None:
        known = property_name(name)
        if known is None:
            return
        values_so_far = self.said[known]
        values_so_far.insert(0 if first else len(values_so_far), value)


def property_name(name: str) -> str | None:
    """The usual name of a property, whatever its prefix; None in a namespace that is not known.

    `name` is its namespace and its name, with a blank between them.
    """
    space, _, local = name.rpartition(_BETWEEN)
    prefix = _NAMES.get(space.rstrip("/#"))
    return None if prefix is None else f"{prefix}:{local}"
