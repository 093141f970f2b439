"""IPTC: the words that press photographers and older photo managers write into JPEG and TIFF."""

from __future__ import annotations

import struct

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.findings import Findings

_KEYWORD, _CAPTION, _HEADLINE = 25, 120, 105


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
    keywords: list[str] = []
    caption = headline = None
    place = 0
    while place + 5 <= len(content) and content[place] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", content, place + 1)
        if size & 0x8000:  # longer than 32 kB; nothing that is read here is
            break
        value = content[place + 5 : place + 5 + size]
        place += 5 + size
        if record != 2:
            continue
        if number == _KEYWORD:
            keywords.append(values.text(value) or "")
        elif number == _CAPTION:
            caption = values.long_text(value)
        elif number == _HEADLINE:
            headline = values.long_text(value)
    return Findings(caption=caption or headline, keywords=values.words(keywords))
