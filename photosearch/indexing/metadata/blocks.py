"""Where each kind of file keeps its EXIF, XMP and IPTC; no picture is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from photosearch.indexing.metadata.tiff import Directories

# Bytes of one block; more is no description of a photo.
_LONGEST = 4 << 20
# Parts of a file that are looked at: a video with a hundred thousand of them has no more to tell.
_PARTS = 10_000
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_TIFF_XMP, _TIFF_IPTC = 700, 33723
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
# Chunks of PNG that hold text, and what the keyword of a block that is written as text begins with.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_RAW_PROFILE = b"Raw profile type "
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(frozen=True)
class Blocks:
    """What was found, as it is stored. `separate` are Canon's directories, each by its name."""

    exif: Directories | None = None
    xmp: bytes | None = None
    photoshop: bytes | None = None
    iptc: bytes | None = None
    separate: dict[str, Directories] | None = None


def blocks_of(file: BinaryIO) -> Blocks:
    """The blocks of metadata in `file`, known by its first bytes.

    Raises whatever the parsing trips over.
    """
    file.seek(0)
    head = file.read(32)
    if head.startswith(b"\xff\xd8"):
        return _jpeg(file, 0)
    if head.startswith(b"\x89PNG"):
        return _png(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(file)
    if head.startswith(b"FUJIFILMCCD-RAW"):
        file.seek(84)
        return _jpeg(file, *struct.unpack(">I", file.read(4)))
    if head[4:12] == b"ftypcrx ":
        return _cr3(file)
    if head[4:8] == b"ftyp":
        return _heif(file)
    if head[4:8] == b"JXL ":
        return _jxl(file)
    if head[:2] in (b"II", b"MM"):
        return _tiff(file)
    return Blocks()


def _directories(content: bytes | None) -> Directories | None:
    if content is None:
        return None
    if content.startswith(_EXIF):
        content = content[len(_EXIF) :]
    try:
        return Directories(io.BytesIO(content))
    except ValueError:
        return None


def _jpeg(file: BinaryIO, start: int) -> Blocks:
    exif = xmp = None
    photoshop = []
    file.seek(start + 2)
    for _ in range(_PARTS):
        marker = file.read(2)
        while marker == b"\xff\xff":  # padding
            marker = b"\xff" + file.read(1)
        # From the scan on there is only picture.
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] in (0xD9, 0xDA):
            break
        (size,) = struct.unpack(">H", file.read(2))
        content = file.read(size - 2)
        if marker[1] == 0xE1 and content.startswith(_EXIF):
            exif = exif or content
        elif marker[1] == 0xE1 and content.startswith(_XMP):
            xmp = xmp or content[len(_XMP) :]
        elif marker[1] == 0xED and content.startswith(_PHOTOSHOP):
            photoshop.append(content[len(_PHOTOSHOP) :])
    return Blocks(_directories(exif), xmp, b"".join(photoshop) or None)


def _png(file: BinaryIO) -> Blocks:
    exif = xmp = photoshop = iptc = None
    for kind, size in _chunks(file, 8, ">I4s", after=4):
        if size > _LONGEST:
            continue
        if kind == b"eXIf":
            exif = file.read(size)
        elif kind in _TEXTS:
            keyword, text = _text(kind, file.read(size))
            if keyword == b"XML:com.adobe.xmp":
                xmp = text
            elif keyword.startswith(_RAW_PROFILE):
                name, content = keyword[len(_RAW_PROFILE) :], _raw_profile(text)
                if content.startswith(_XMP):
                    xmp = xmp or content[len(_XMP) :]
                elif name in (b"exif", b"APP1"):
                    exif = exif or content
                elif name == b"xmp":
                    xmp = xmp or content
                elif content.startswith(b"8BIM"):
                    photoshop = photoshop or content
                elif name == b"iptc":
                    iptc = iptc or content
    return Blocks(_directories(exif), xmp, photoshop, iptc)


def _text(kind: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Keyword and text of a chunk; the text is empty where it cannot be unpacked."""
    keyword, _, text = content.partition(b"\0")
    packed = kind == b"zTXt"
    if packed:
        text = text[1:]  # how it is packed, of which there is one way
    elif kind == b"iTXt":
        # Two bytes on how it is packed, a language and the translated keyword.
        packed = text[:1] == b"\1"
        text = text[2:].split(b"\0", 2)[-1]
    if not packed:
        return keyword, text
    try:
        return keyword, zlib.decompressobj().decompress(text, _LONGEST)
    except zlib.error:
        return keyword, b""


def _raw_profile(text: bytes) -> bytes:
    """What ImageMagick and its kind write as text: a name, a length, and bytes as hexadecimals."""
    _, _, digits = text.strip().partition(b"\n")
    length, _, digits = digits.strip().partition(b"\n")
    try:
        return bytes.fromhex(digits.decode("ascii"))[: int(length)]
    except ValueError:
        return b""


def _webp(file: BinaryIO) -> Blocks:
    exif = xmp = None
    for kind, size in _chunks(file, 12, "<4sI", padded=True):
        if kind in (b"EXIF", b"XMP ") and size <= _LONGEST:
            content = file.read(size)
            exif, xmp = (content, xmp) if kind == b"EXIF" else (exif, content)
    return Blocks(_directories(exif), xmp)


def _chunks(
    file: BinaryIO, place: int, form: str, *, after: int = 0, padded: bool = False
) -> Iterator[tuple[bytes, int]]:
    """Kind and size of each part, with `file` at its content."""
    for _ in range(_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        pair = struct.unpack(form, head)
        kind, size = pair if isinstance(pair[0], bytes) else pair[::-1]
        yield kind, size
        place += 8 + size + after + (size % 2 if padded else 0)


def boxes(file: BinaryIO, place: int, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each box of an ISO media file, and where its content begins and ends."""
    if end is None:
        end = file.seek(0, io.SEEK_END)
    for _ in range(_PARTS):
        if place + 8 > end:
            return
        file.seek(place)
        size, kind = struct.unpack(">I4s", file.read(8))
        start = place + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            start += 8
        stop = end if size == 0 else min(end, place + size)
        if stop < start:
            return
        yield kind, start, stop
        place = stop


def content_of(file: BinaryIO, start: int, stop: int) -> bytes | None:
    """The content of a box, None where it is too long to be metadata."""
    if stop - start > _LONGEST:
        return None
    file.seek(start)
    return file.read(stop - start)


def _cr3(file: BinaryIO) -> Blocks:
    separate: dict[str, Directories] = {}
    xmp = None
    for kind, start, stop in boxes(file, 0):
        if kind == b"uuid":
            file.seek(start)
            if file.read(16) == XMP_BOX:
                xmp = content_of(file, start + 16, stop)
        elif kind == b"moov":
            for inner, begin, end in boxes(file, start, stop):
                file.seek(begin)
                if inner != b"uuid" or file.read(16) != _CANON:
                    continue
                for name, first, last in boxes(file, begin + 16, end):
                    found = _directories(content_of(file, first, last))
                    if name.startswith(b"CMT") and found is not None:
                        separate[name.decode("ascii", "replace")] = found
    return Blocks(xmp=xmp, separate=separate)


def _jxl(file: BinaryIO) -> Blocks:
    exif = xmp = None
    for kind, start, stop in boxes(file, 0):
        if kind == b"Exif":
            content = content_of(file, start, stop) or b""
            # How far behind these four bytes the TIFF structure begins.
            exif = content[4 + int.from_bytes(content[:4], "big") :]
        elif kind == b"xml ":
            xmp = content_of(file, start, stop)
    return Blocks(_directories(exif), xmp)


def _heif(file: BinaryIO) -> Blocks:
    """HEIC and AVIF, of which Pillow and its plugin know where their items are."""
    from PIL import Image

    file.seek(0)
    with Image.open(file, formats=("HEIF", "AVIF")) as image:
        exif, xmp = image.info.get("exif"), image.info.get("xmp")
    return Blocks(_directories(exif), xmp)


def _tiff(file: BinaryIO) -> Blocks:
    exif = Directories(file)
    about = exif.read(exif.first, (_TIFF_XMP, _TIFF_IPTC))
    xmp, iptc = about.get(_TIFF_XMP), about.get(_TIFF_IPTC)
    return Blocks(
        exif,
        xmp if isinstance(xmp, bytes) else None,
        iptc=iptc if isinstance(iptc, bytes) else None,
    )
