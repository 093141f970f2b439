"""IPTC: the words that press photographers and older photo managers write into JPEG and TIFF."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.dates import Date, date_of, offset_of
from photosearch.indexing.metadata.findings import Findings

_TITLE, _KEYWORD, _CAPTION, _HEADLINE = 5, 25, 120, 105
# When it was made, and when it was made digital: a day each, and a time.
_MOMENTS = ((55, 60), (62, 63))
_ENVELOPE, _APPLICATION, _CHARACTERS = 1, 2, 90
# By what ISO 2022 says of the right half of the table.
_CODINGS = {
    b"%G": "utf-8", b"%/G": "utf-8", b"%/H": "utf-8", b"%/I": "utf-8",
    b"%/@": "utf-16-be", b"%/C": "utf-16-be", b"%/E": "utf-16-be",
    b"%/J": "utf-16-be", b"%/K": "utf-16-be", b"%/L": "utf-16-be",
} | {
    mark + final: coding
    for mark in (b"-", b".", b"/")
    for final, coding in (
        (b"A", "cp1252"), (b"B", "iso8859-2"), (b"C", "iso8859-3"), (b"D", "iso8859-4"),
        (b"F", "iso8859-7"), (b"G", "iso8859-6"), (b"H", "iso8859-8"), (b"L", "iso8859-5"),
        (b"M", "iso8859-9"), (b"V", "iso8859-10"), (b"T", "iso8859-11"), (b"Y", "iso8859-13"),
        (b"_", "iso8859-14"), (b"b", "iso8859-15"), (b"f", "iso8859-16"),
    )
}  # fmt: skip
_DAY = re.compile(r"(\d{4})[-:/]?(\d\d)?[-:/]?(\d\d)?")
_TIME = re.compile(r"(\d\d):?(\d\d):?(\d\d)?(?:\.\d+)?\s*([+-]\d\d:?\d\d|Z)?")


def from_photoshop(content: bytes) -> Findings:
    """What the IPTC record among Photoshop's resources says."""
    place = 0
    while content[place : place + 4] == b"8BIM" and place + 12 <= len(content):
        (kind,) = struct.unpack_from(">H", content, place + 4)
        # A name, its length before it, padded to an even size; then the length of the content.
        start = place + 6 + (content[place + 6] + 2 & ~1)
        if start + 4 > len(content):
            break
        (size,) = struct.unpack_from(">I", content, start)
        if kind == 0x0404:
            return from_iptc(content[start + 4 : start + 4 + size])
        place = start + 4 + size + size % 2
    return Findings()


def from_iptc(content: bytes) -> Findings:
    """What the data sets in `content` say, up to the first that is damaged."""
    coding: str | None = None
    said: dict[int, list[bytes]] = {}
    for record, number, value in _sets(content):
        if (record, number) == (_ENVELOPE, _CHARACTERS):
            coding = _CODINGS.get(value.replace(b"\x1b", b"").strip(), coding)
        elif record == _APPLICATION:
            said.setdefault(number, []).append(value)

    def first(number: int) -> str | bytes | None:
        return _decoded(said[number][0], coding) if number in said else None

    dates = [_date(first(day), first(time)) for day, time in _MOMENTS]
    return Findings(
        taken=tuple(date for date in dates if date is not None) or None,
        caption=next(
            filter(None, map(values.caption, map(first, (_CAPTION, _HEADLINE, _TITLE)))), None
        ),
        keywords=values.words(
            values.text(_decoded(word, coding)) or "" for word in said.get(_KEYWORD, ())
        ),
    )


def _sets(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Record, number and value of each data set."""
    place = 0
    while place + 5 <= len(content) and content[place] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", content, place + 1)
        place += 5
        if size & 0x8000:  # longer than 32 kB: so many bytes hold the length
            width = size & 0x7FFF
            if not 0 < width <= 4:
                return
            size = int.from_bytes(content[place : place + width], "big")
            place += width
        yield record, number, content[place : place + size]
        place += size


def _decoded(value: bytes, coding: str | None) -> str | bytes:
    """Text by the table that the record names; where that does not fit, bytes to be guessed."""
    if coding is None:
        return value
    try:
        return value.decode(coding)
    except UnicodeDecodeError:
        return value


def _date(day: str | bytes | None, time: str | bytes | None) -> Date | None:
    date = _DAY.match(values.text(day) or "")
    if date is None:
        return None
    clock = _TIME.match(values.text(time) or "")
    parts = None if clock is None else (int(clock[1]), int(clock[2]), int(clock[3] or 0))
    zone = None if clock is None else offset_of(clock[4])
    return date_of(int(date[1]), int(date[2] or 0), int(date[3] or 0), parts, zone)
