"""Originals without what they say of themselves: pixels and sound stay as they are.

What is kept is listed, not what is dropped: positions stand in EXIF, XMP, IPTC, maker notes, tracks
of sensors, and in whole pictures and videos behind the end of a JPEG.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from photosearch.formats import VIDEO
from photosearch.indexing.formats.picture import DecodeError, needs_extra
from photosearch.kinds import HEAD, video_format
from photosearch.regular_file import open_regular
from photosearch.serving.shrinking import Small

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_EXIF, _ICC, _ADOBE, _JFIF = 0xE1, 0xE2, 0xEE, 0xE0
_COMMENT = 0xFE
# A marker within a scan, which neither stands for the byte 255 nor for a restart.
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
# A segment tells its own length in two bytes, with these.
_LONGEST = 0xFFFF - 2
# By suffix, what a video is put into.
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".qt": "mov", ".3gp": "3gp"}


class DamagedError(Exception):
    """A file is not built as its format asks; the message is the reason."""


def bare_jpeg(content: bytes, exif: bytes, profile: bytes = b"") -> bytes:
    """The first picture of a JPEG, with its colour profile, and `exif` for all that it says.

    `profile` is for one that has none in it, in no more than one segment.

    Raises `DamagedError` where it is cut short or no JPEG.
    """
    if not content.startswith(b"\xff\xd8"):
        raise DamagedError("is not a JPEG file")
    parts = [part for marker, part in _segments(content) if _is_kept(marker, part)]
    first = [part for part in parts[:1] if part[1] == _JFIF]
    added = [_segment(_EXIF, exif)] if exif else []
    if profile and not any(part[1] == _ICC for part in parts):
        added.append(_segment(_ICC, b"ICC_PROFILE\0\1\1" + profile))
    return b"".join((b"\xff\xd8", *first, *added, *parts[len(first) :]))


def _segment(marker: int, said: bytes) -> bytes:
    if len(said) > _LONGEST:
        raise DamagedError("says more of itself than a JPEG can hold")
    return struct.pack(">BBH", 0xFF, marker, len(said) + 2) + said


def _is_kept(marker: int, part: bytes) -> bool:
    said = part[4:]
    if marker == _JFIF:
        return said.startswith(b"JFIF\0")
    if marker == _ICC:
        return said.startswith(b"ICC_PROFILE\0")
    if marker == _ADOBE:
        return said.startswith(b"Adobe")
    return not (0xE0 <= marker <= 0xEF or marker == _COMMENT)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment behind the first marker, to the end of the picture."""
    place = 2
    while True:
        found = _MARKER.match(content, place)
        if found is None:
            raise DamagedError("is damaged: a part of it does not begin where it should")
        marker, start = content[found.end() - 1], found.end() - 2
        if marker == _END:
            yield marker, b"\xff\xd9"
            return
        length = content[start + 2 : start + 4]
        stop = start + 2 + (struct.unpack(">H", length)[0] if len(length) == 2 else 0)
        if stop < start + 4 or stop > len(content):
            raise DamagedError("is cut short")
        if marker == _SCAN:
            following = _MARKER.search(content, stop)
            if following is None:
                raise DamagedError("is cut short")
            stop = following.start()
        yield marker, content[start:stop]
        place = stop


@dataclass(frozen=True)
class BareVideo:
    """The pictures and the sound of a video as they are, in a new container at the path `to`.

    Work of the processes that decode, and so nothing comes back but the stamp.
    """

    to: str

    def make(self, path: str, max_pixels: int) -> Small:
        """Raises `DecodeError` for a container that none is made of; PyAV's errors."""
        form = _CONTAINERS.get(os.path.splitext(path)[1].lower())
        if form is None:
            raise DecodeError(
                "is a video in a container that cannot be without its position; "
                "share it as it is, with its position"
            )
        try:
            import av
        except ImportError:
            raise needs_extra(VIDEO.called, VIDEO.extra) from None
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            read_as = video_format(file.read(HEAD), os.path.splitext(path)[1].lower()) or "mov"
            file.seek(0)
            # Opened by us, and the format is named, as where frames are read.
            with (
                av.open(file, "r", format=read_as, metadata_errors="ignore") as source,
                av.open(self.to, "w", format=form) as target,
            ):
                said = source.metadata.get("creation_time")
                if said:
                    target.metadata["creation_time"] = said
                kept = [one for one in source.streams if one.type in ("video", "audio")]
                copies = {one.index: target.add_stream_from_template(one) for one in kept}
                for packet in source.demux(kept):
                    if packet.dts is not None:  # the last of each stream is empty
                        packet.stream = copies[packet.stream.index]
                        target.mux(packet)
        return Small(b"", status.st_size, status.st_mtime_ns)
