"""The directories of tags that EXIF shares with TIFF and with most RAW formats.

Only the tags that are asked for are read, each no longer than `_LONGEST`: a file that promises
gigabytes, or chases its own tail, costs no more than an honest one.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Container
from typing import BinaryIO

Value = bytes | tuple[float, ...]
Tags = dict[int, Value]

# Directories of real files have some dozens of entries; maker notes, a few hundred.
_ENTRIES = 1000
# Bytes of one value. XMP, the longest that is read, is seldom beyond 100 kB.
_LONGEST = 4 << 20
# Orders of bytes, and what marks a TIFF: the number 42, and what Olympus and Panasonic have there.
_ORDERS = {b"II": "<", b"MM": ">"}
_MARKS = (b"*\0", b"\0*", b"RO", b"RS", b"U\0")
# Struct's letter for each type of value, and how many of it one value takes.
_TYPES = {
    1: ("s", 1), 2: ("s", 1), 3: ("H", 1), 4: ("I", 1), 5: ("I", 2), 6: ("b", 1), 7: ("s", 1),
    8: ("h", 1), 9: ("i", 1), 10: ("i", 2), 11: ("f", 1), 12: ("d", 1), 13: ("I", 1),
}  # fmt: skip


class Directories:
    """The TIFF structure in `file` that begins at byte `start`."""

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        """Raises `ValueError` when there is none."""
        self._file, self._start = file, start
        file.seek(start)
        head = file.read(8)
        order = _ORDERS.get(head[:2])
        if order is None or len(head) < 8 or head[2:4] not in _MARKS:
            raise ValueError("is not a TIFF structure")
        self._order = order
        (self.first,) = struct.unpack(order + "I", head[4:])

    def read(self, offset: float, wanted: Container[int]) -> Tags:
        """The `wanted` tags of the directory at `offset`; those that are damaged are left out.

        Text and blobs come as bytes, rational numbers as floats; NaN where divided by zero.
        """
        self._file.seek(self._start + int(offset))
        (count,) = struct.unpack(self._order + "H", self._exactly(2))
        found: Tags = {}
        table = self._file.read(12 * min(count, _ENTRIES))
        for place in range(0, len(table) - 11, 12):
            tag, kind, length = struct.unpack_from(self._order + "HHI", table, place)
            if tag in wanted and tag not in found:
                value = self._value(kind, length, table[place + 8 : place + 12])
                if value:
                    found[tag] = value
        return found

    def _value(self, kind: int, length: int, field: bytes) -> Value | None:
        if kind not in _TYPES:
            return None
        letter, parts = _TYPES[kind]
        size = struct.calcsize(letter) * parts * length
        if not 0 < size <= _LONGEST:
            return None
        if size > 4:
            (offset,) = struct.unpack(self._order + "I", field)
            self._file.seek(self._start + offset)
            field = self._file.read(size)
            if len(field) < size:
                return None
        if letter == "s":
            return field[:size]
        numbers = struct.unpack(f"{self._order}{parts * length}{letter}", field[:size])
        if parts == 1:
            return numbers
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return tuple(above / below if below else math.nan for above, below in pairs)

    def _exactly(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) < size:
            raise ValueError("ends within a directory")
        return content
