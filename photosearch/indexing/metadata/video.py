"""What a video says of itself, in the boxes of MP4 and QuickTime files."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.blocks import XMP_BOX, boxes, content_of
from photosearch.indexing.metadata.dates import parsed
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.zones import universal

# Seconds from the first moment of 1904, where QuickTime's clock begins, to that of 1970.
_EPOCH = 2_082_844_800
_APPLE = "com.apple.quicktime."
# The keys of iTunes' and of QuickTime's older lists, as Apple's newer one names the same.
_OLDER = {
    b"\xa9day": "creationdate", b"\xa9xyz": "location.ISO6709", b"\xa9mak": "make",
    b"\xa9mod": "model", b"\xa9des": "description", b"desc": "description", b"\xa9cmt": "comment",
    b"\xa9key": "keywords",
}  # fmt: skip
# Other programs name them without the maker's prefix.
_PLAIN = {"location": "location.ISO6709", "creation_time": "creationdate", "date": "creationdate"}
_POINT = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")


@dataclass(frozen=True)
class Video:
    """`seconds` that it lasts, None where it does not say; and its XMP."""

    findings: Findings = field(default_factory=Findings)
    seconds: float | None = None
    xmp: bytes | None = None


def about_video(file: BinaryIO) -> Video:
    """What the video in `file` says, as far as it can be read.

    Raises whatever the parsing trips over.
    """
    said: dict[str, str] = {}
    seconds, made, xmp = None, None, None
    for kind, start, stop in boxes(file, 0):
        if kind == b"uuid":
            file.seek(start)
            if file.read(16) == XMP_BOX:
                xmp = content_of(file, start + 16, stop)
        if kind != b"moov":
            continue
        for inner, first, last in boxes(file, start, stop):
            # A damaged part leaves the others.
            with suppress(struct.error, ValueError, OSError):
                if inner == b"mvhd":
                    seconds, made = _header(content_of(file, first, last) or b"")
                elif inner == b"meta":
                    said |= _listed(file, first, last)
                elif inner == b"udta":
                    said = _user_data(file, first, last) | said
    return Video(_findings(said, made), seconds, xmp)


def _header(content: bytes) -> tuple[float | None, datetime | None]:
    form = ">QQIQ" if content[:1] == b"\1" else ">IIII"
    made, _, scale, length = struct.unpack_from(form, content, 4)
    seconds = length / scale if scale else None
    return seconds, universal(made - _EPOCH) if made > _EPOCH else None


def _listed(file: BinaryIO, start: int, stop: int) -> dict[str, str]:
    """Apple's list, whose entries are numbered by a list of keys; iTunes' has names."""
    file.seek(start)
    # QuickTime's box begins with another at once, MP4's with four bytes of its own.
    if file.read(8)[4:] != b"hdlr":
        start += 4
    keys: list[str] = []
    said: dict[str, str] = {}
    for kind, first, last in boxes(file, start, stop):
        if kind == b"keys":
            keys = list(_keys(content_of(file, first, last) or b""))
        elif kind == b"ilst":
            for entry, begin, end in boxes(file, first, last):
                number = int.from_bytes(entry, "big") - 1
                name = keys[number] if 0 <= number < len(keys) else _OLDER.get(entry)
                for inner, from_, to in boxes(file, begin, end) if name else ():
                    content = content_of(file, from_, to) if inner == b"data" else None
                    if content is not None and name is not None:
                        said.setdefault(name, values.long_text(content[8:]) or "")
    return said


def _keys(content: bytes) -> Iterator[str]:
    place = 8
    while place + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, place)
        if size < 8:
            return
        key = content[place + 8 : place + size].decode("utf-8", "replace").removeprefix(_APPLE)
        yield _PLAIN.get(key, key)
        place += size


def _user_data(file: BinaryIO, start: int, stop: int) -> dict[str, str]:
    said: dict[str, str] = {}
    for kind, first, last in boxes(file, start, stop):
        if kind == b"meta":
            said |= _listed(file, first, last)
        elif kind in _OLDER:
            content = content_of(file, first, last) or b""
            # A length and a language come first.
            said.setdefault(_OLDER[kind], values.long_text(content[4:]) or "")
    return said


def _findings(said: dict[str, str], made: datetime | None) -> Findings:
    written = said.get("creationdate", "")
    taken = parsed(written)
    if taken is not None and written.rstrip().endswith("Z"):
        # What is written in universal time says nothing of the clock on the wall.
        made = made or taken.moment
        taken = None
    point = _POINT.match(said.get("location.ISO6709", ""))
    return Findings(
        taken=None if taken is None else (taken,),
        universal=made,
        position=None if point is None else values.coordinates(float(point[1]), float(point[2])),
        camera=values.camera(values.text(said.get("make")), values.text(said.get("model"))),
        caption=values.long_text(said.get("description") or said.get("comment")),
        keywords=values.words(said.get("keywords", "").split(",")),
        live_id=values.text(said.get("content.identifier")),
    )
