"""An XMP packet as a tree that knows where in the bytes each element stands.

So a few elements can be written anew and all other bytes be kept, comments and namespaces that
nobody here knows included. It is stricter than reading: what is not surely understood is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from photosearch.indexing.metadata.rdf import LONGEST, RDF, property_name

_DEPTH = 64
_BETWEEN = " "
_NAME = re.compile(rb"</?([^\s/>]+)")
_DECLARED = re.compile(r"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
_ATTRIBUTE = re.compile(rb"\s+([^\s=]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_MARK = "\ufeff".encode()


class NotUnderstoodError(Exception):
    """What a sidecar holds is not changed; the text says why."""


@dataclass
class Element:
    """`content[start:end]`; its start tag ends at `inner`, and its end tag begins at `close`.

    Of an empty tag, `<a/>`, these two are the end. `name` is what the property is called here,
    whatever its prefix, "dc:subject"; of RDF's own it is "rdf:Bag", and None of all others.
    """

    name: str | None
    tag: str
    start: int
    inner: int
    attributes: dict[str, str]
    close: int = 0
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)
    # The prefixes that are declared here, by their namespaces.
    prefixes: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return self.close == self.end


@dataclass
class Packet:
    """The bytes of a packet, and the descriptions of the photo in it: there is one or more."""

    content: bytes
    descriptions: list[Element]
    rdf_prefix: str

    def attribute(self, element: Element, name: str) -> tuple[int, int] | None:
        """Where in the bytes an attribute stands, with the blanks before it, by its raw name."""
        start = element.start + len(element.tag.encode()) + 1
        for found in _ATTRIBUTE.finditer(self.content, start, element.inner):
            if found[1] == name.encode():
                return found.span()
        return None


def packet_of(content: bytes) -> Packet:
    """Raises `NotUnderstoodError` for what is not well-formed, no XMP, or not in UTF-8."""
    if len(content) > LONGEST:
        raise NotUnderstoodError("is too large for a description of a photo")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstoodError("is not in UTF-8") from None
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in ("utf-8", "us-ascii", "ascii"):
        raise NotUnderstoodError(f"is in {declared[1]}, and not in UTF-8")
    reader = _Reader(content)
    root = reader.read()
    around = [root] if root.name == "rdf:RDF" else root.children
    found = [one for one in around if one.name == "rdf:RDF"]
    if len(found) != 1:
        raise NotUnderstoodError("is no XMP that describes one photo")
    descriptions = [one for one in found[0].children if one.name == "rdf:Description"]
    if not descriptions:
        raise NotUnderstoodError("describes nothing")
    prefix = found[0].tag.rpartition(":")[0]
    return Packet(content, descriptions, f"{prefix}:" if prefix else "")


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._parser = expat.ParserCreate("utf-8", namespace_separator=_BETWEEN)
        self._parser.namespace_prefixes = True
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartNamespaceDeclHandler = self._declared
        self._parser.EndNamespaceDeclHandler = self._undeclared
        self._spaces: list[tuple[str | None, str | None]] = []
        self._open: list[Element] = []
        self._root: Element | None = None

    def read(self) -> Element:
        try:
            self._parser.Parse(self._content, True)
        except expat.ExpatError as error:
            raise NotUnderstoodError(f"is damaged ({error})") from None
        assert self._root is not None, "expat refuses what has no root"
        return self._root

    def _declared(self, prefix: str | None, address: str | None) -> None:
        self._spaces.append((prefix, address))

    def _undeclared(self, _: str | None) -> None:
        self._spaces.pop()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._parser.CurrentByteIndex
        found = _NAME.match(self._content, start)
        if len(self._open) >= _DEPTH or found is None:
            raise NotUnderstoodError("is deeper than any description of a photo")
        known = dict(self._spaces)
        element = Element(
            _known(name),
            found[1].decode(),
            start,
            self._tag_end(start),
            attributes,
            prefixes={address: prefix for prefix, address in known.items() if address and prefix},
        )
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if self._content[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = self._parser.CurrentByteIndex
            element.end = self._content.index(b">", element.close) + 1

    def _text(self, part: str) -> None:
        self._open[-1].text += part

    def _tag_end(self, at: int) -> int:
        """Behind the bracket that ends a tag; one in quotes does not."""
        quote = None
        for place in range(at, len(self._content)):
            letter = self._content[place]
            if quote is not None:
                quote = None if letter == quote else quote
            elif letter in b"\"'":
                quote = letter
            elif letter == ord(">"):
                return place + 1
        raise NotUnderstoodError("is damaged")


def raw_name(name: str) -> str:
    """An attribute's name as it is written, of what expat makes of it."""
    parts = name.split(_BETWEEN)
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]


def _known(name: str) -> str | None:
    space, _, local = _BETWEEN.join(name.split(_BETWEEN)[:2]).rpartition(_BETWEEN)
    if space == RDF:
        return f"rdf:{local}"
    return property_name(f"{space}{_BETWEEN}{local}")


def attribute_names(element: Element) -> dict[str, tuple[str, str]]:
    """The properties among an element's attributes: each with its raw name and its value."""
    found = {}
    for name, value in element.attributes.items():
        known = _known(name)
        if known is not None:
            found[known] = raw_name(name), value
    return found


def _refuse(*_: Any) -> None:
    raise NotUnderstoodError("has a document type, which XMP has not")
