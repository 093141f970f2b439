"""The properties in a packet of XMP, which is RDF in XML, however it is written."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

# Develop settings make some sidecars long; beyond this it is no description of a photo.
LONGEST = 4 << 20
# RDF about a photo has some ten levels.
_DEPTH = 64
# Faces in one picture.
_MOST = 1000
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
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
}
# Some writers leave the last letter of a namespace off.
_NAMES = {address.rstrip("/#"): prefix for prefix, address in SPACES.items()}
_LISTS = (f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt")
_DESCRIPTION, _ITEM, _VALUE = f"{_RDF}Description", f"{_RDF}li", f"{_RDF}value"
# What outlines people in a picture, with their names.
_REGIONS = ("mwg-rs:Regions", "MP:RegionInfo")
# What is told of each outline, and of the picture that all of them are of.
_OUTLINE = frozenset(
    {
        *("mwg-rs:Name", "mwg-rs:Type", "stArea:x", "stArea:y", "stArea:w", "stArea:h"),
        *("stArea:unit", "MPReg:PersonDisplayName", "MPReg:Rectangle"),
    }
)
_SIZE = frozenset({"stDim:w", "stDim:h", "stDim:unit"})

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


@dataclass
class Packet:
    """What a packet says: the values of each property, as "dc:subject", and outlines in the
    picture, each as it is told, with the `size` of the picture that they were made for.
    """

    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    outlines: list[dict[str, str]] = field(default_factory=list)
    size: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.said.values())) + len(self.outlines)


def properties(content: bytes) -> dict[str, list[str]]:
    """The values of each property, as "dc:subject"; see `packet_of`."""
    return dict(packet_of(content).said)


def packet_of(content: bytes) -> Packet:
    """The properties of namespaces that are known.

    Of a text in several languages the default comes first. A property is read alike as an
    attribute, a text, or a list of any kind with one value or more. What is damaged is mended where
    that is common, or else read as far as it goes.

    A document with a DOCTYPE is not read: XMP has none, and only there entities are declared, by
    which a short text can grow without end.
    """
    body, coding = _body(content[:LONGEST])
    reader, fault = _parsed(body, coding)
    if fault is not None:
        mended = _mended(body, fault)
        if mended is not None:
            again, _ = _parsed(mended, "utf-8")
            reader = max(reader, again, key=lambda one: one.packet.count)
    return reader.packet


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
        self.packet = Packet()
        self._path: list[str] = []
        self._text: list[str] = []
        self._default = False
        self._top: int | None = None  # where in the path rdf:RDF is
        self._outlined: dict[str, str] | None = None
        self._item = 0  # how deep in the path the item is that tells of it

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
            # There may be lists in an outline, too.
            if name == _ITEM and self._outlined is None:
                self._outlined, self._item = {}, len(self._path)
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
                if self._outlined and len(self._path) == self._item:
                    self.packet.outlines.append(self._outlined)
                if len(self._path) <= self._item:
                    self._outlined = None
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
        if name in _SIZE:
            self.packet.size[name] = value
        elif name in _OUTLINE and self._outlined is not None and len(self.packet.outlines) < _MOST:
            self._outlined.setdefault(name, value)

    def _add(self, name: str, value: str, *, first: bool = False) -> None:
        known = property_name(name)
        if known is None:
            return
        values_so_far = self.packet.said[known]
        values_so_far.insert(0 if first else len(values_so_far), value)


def property_name(name: str) -> str | None:
    """The usual name of a property, whatever its prefix; None in a namespace that is not known.

    `name` is its namespace and its name, with a blank between them.
    """
    space, _, local = name.rpartition(_BETWEEN)
    prefix = _NAMES.get(space.rstrip("/#"))
    return None if prefix is None else f"{prefix}:{local}"
