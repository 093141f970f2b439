"""What the rows of a catalogue may say: what SQLite takes and nothing here could use is found."""

from __future__ import annotations

import json
import math
import ntpath
import os
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from msgspec import Struct

from index.catalogue.connection import Connection
from index.catalogue.embedded import VECTOR
from index.catalogue.records import Place, Region
from index.paths import text_to_path

Check = Callable[[Any], bool]

_ROWS = 4096
# How far from 1 the length of a vector may be; rounding to float16 moves it by about 0.001.
OFF = 0.01
# No system accepts longer paths.
_PATH = 32_767
_NAME, _WORDS, _TEXT = 1000, 100_000, 4 << 20
_BLOB = 1 << 20
_DIGEST = 32  # bytes of a BLAKE3 hash
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://[^/]", re.ASCII)
_FACE = 128  # numbers that describe a face
_MOST = 1 << 31
# Frames of another bundle's length than that of their video.
_UNLIKE = """
    SELECT frames.rowid FROM frames JOIN embeddings USING (bundle_id, content_id)
    WHERE length(frames.vector) <> length(embeddings.vector)
"""
_TAKEN = ("-01-01T00:00:00", "-01T00:00:00", "T00:00:00", "")
_TAKEN_LENGTHS = (4, 7, 10)
_ABSOLUTE: Mapping[str, Check] = {"/": posixpath.isabs, "\\": lambda path: _is_of_windows(path)}


class BadRows(Struct, frozen=True):
    """Numbers of the rows that cannot be used, by their table, and how many by what is wrong."""

    rows: dict[str, list[int]]
    reasons: dict[str, int]


def bad_rows(
    connection: Connection, separator: str = os.sep, *, addresses: bool = False
) -> BadRows:
    """Look at every row; `separator` is that of its paths. Vectors are looked at elsewhere.

    With `addresses` photos may also be at one, as in s3://bucket/photos.
    """
    rows: dict[str, list[int]] = {}
    reasons: Counter[str] = Counter()
    for table, checks in _checks(separator, addresses).items():
        # Of a text that is too long, the length says enough.
        wanted = ", ".join(
            f"CASE WHEN length({name}) > {_TEXT} THEN char(0) ELSE {name} END" for name in checks
        )
        for batch in connection.batches(f"SELECT rowid, {wanted} FROM {table}", [], _ROWS):
            for number, *values in batch:
                for (name, check), value in zip(checks.items(), values, strict=True):
                    if not check(value):
                        rows.setdefault(table, []).append(number)
                        reasons[f"{name} in {table}"] += 1
                        break
    for (number,) in connection.rows(_UNLIKE):
        rows.setdefault("frames", []).append(number)
        reasons["vector in frames"] += 1
    return BadRows(rows, dict(reasons))


def _checks(separator: str, addresses: bool) -> dict[str, dict[str, Check]]:
    path = _path(separator, addresses)
    return {
        "contents": {"id": _within(1, 1 << 62), "digest": _or_none(_digest)},
        "folders": {"path": path},
        "photos": {
            "id": _within(1, 1 << 62),
            "path": path,
            "size": _within(0, 1 << 62),
            "width": _within(0, _MOST),
            "height": _within(0, _MOST),
            "format": _text(_NAME),
            "companions": _list_of(path),
        },
        "metadata": {
            "taken_at": _or_none(_taken),
            "taken_offset_minutes": _or_none(_within(-1440, 1440)),
            "taken_source": _or_none(_text(_NAME)),
            "latitude": _or_none(_within(-90, 90)),
            "longitude": _or_none(_within(-180, 180)),
            "camera": _or_none(_text(_NAME)),
            "lens": _or_none(_text(_NAME)),
            "exposure_time": _or_none(_within(0, _MOST)),
            "f_number": _or_none(_within(0, _MOST)),
            "iso": _or_none(_within(0, _MOST * 2)),
            "focal_length": _or_none(_within(0, _MOST)),
            "rating": _or_none(_within(-100, 100)),
            "caption": _or_none(_text(_TEXT)),
            "keywords": _list_of(_text(_TEXT)),
            "people": _list_of(_text(_TEXT)),
            "place": _or_none(_place),
            "regions": _list_of(_region),
        },
        "face_groups": {"name": _or_none(_text(_NAME))},
        "faces": {
            **dict.fromkeys(("x", "y", "width", "height", "score"), _within(0, 1.0001)),
            "side": _within(0, _MOST),
            "sharp": _within(0, _MOST),
            "landmarks": lambda value: isinstance(value, bytes) and len(value) == 40,
            "vector": _finite_vector,
            "seconds": _or_none(_within(0, _MOST)),
        },
        "face_answers": {
            "answer": ("yes", "no", "unsure").__contains__,
            **dict.fromkeys(("moved", "refused"), _list_of(_within(1, 1 << 62))),
        },
        "people": {"name": _text(_NAME), "above": _or_none(_text(_TEXT))},
        "people_names": {"key": _text(_NAME), "name": _text(_NAME)},
        "problems": {"path": path, "size": _or_none(_within(0, 1 << 62)), "reason": _text(_TEXT)},
        "others": {"path": path, "suffix": _text(_NAME), "files": _within(0, 1 << 62)},
        "albums": {"id": _within(1, 1 << 62), "name": _text(_NAME)},
        "album_photos": {"digest": _digest},
        "saved_searches": {
            "name": _text(_NAME),
            "text": _text(_WORDS),
            "sort": ("relevance", "newest", "oldest").__contains__,
        },
        "verdicts": {
            "query": _text(_WORDS),
            "digest": _digest,
            "locale": _text(_NAME),
        },
        "tunings": {
            "bundle_id": _text(_NAME),
            "layer": _layer,
            "verdicts": _within(0, _MOST),
        },
        "readings": {"text": _text(_TEXT), "folded": _text(_TEXT)},
        "frames": {
            "bundle_id": _text(_NAME),
            "number": _within(0, _MOST),
            "seconds": _seconds,
            "vector": _unit,
        },
        "embeddings": {"bundle_id": _text(_NAME)},
        "looks": {"look": lambda look: len(look) <= _BLOB},
    }


def _within(least: float, most: float) -> Check:
    def check(value: Any) -> bool:
        # NaN is in no range.
        return isinstance(value, (int, float)) and least <= value <= most

    return check


def _layer(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) <= _TEXT


def _seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value >= 0


def _unit(value: Any) -> bool:
    """Whether it is a vector of length 1, as far as float16 can tell."""
    if not isinstance(value, bytes) or len(value) % VECTOR.itemsize or len(value) > _BLOB:
        return False
    length = float(np.linalg.norm(np.frombuffer(value, VECTOR).astype(np.float32)))
    return abs(length - 1) <= OFF


def _finite_vector(value: Any) -> bool:
    """Whether it holds finite numbers, as many as describe a face."""
    if not isinstance(value, bytes) or len(value) != _FACE * VECTOR.itemsize:
        return False
    return bool(np.isfinite(np.frombuffer(value, VECTOR)).all())


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most and "\0" not in value


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _digest(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == _DIGEST


def _path(separator: str, addresses: bool) -> Check:
    text, is_absolute = _text(_PATH), _ABSOLUTE[separator]

    def check(value: Any) -> bool:
        if not text(value):
            return False
        return is_absolute(text_to_path(value)) or (addresses and bool(_ADDRESS.match(value)))

    return check


def _is_of_windows(path: str) -> bool:
    return bool(ntpath.splitdrive(path)[0]) and ntpath.isabs(path)


def _list_of(check: Check) -> Check:
    def of(value: Any) -> bool:
        found = _json(value)
        return isinstance(found, list) and all(map(check, found))

    return of


def _place(value: Any) -> bool:
    found = _json(value)
    if not isinstance(found, dict):
        return False
    return found.keys() == Place.__dataclass_fields__.keys() and all(
        isinstance(name, str) and len(name) <= _NAME for name in found.values()
    )


def _region(found: Any) -> bool:
    if not isinstance(found, dict) or found.keys() != Region.__dataclass_fields__.keys():
        return False
    name, *sides = (found[side] for side in Region.__dataclass_fields__)
    return isinstance(name, str) and len(name) <= _NAME and all(map(_within(0, 1), sides))


def _json(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return None


def _taken(value: Any) -> bool:
    """A date of ISO 8601 as exactly as it is known, from the year on."""
    if not isinstance(value, str) or len(value) > _NAME:
        return False
    known = sum(len(value) > length for length in _TAKEN_LENGTHS)
    try:
        datetime.fromisoformat(value + _TAKEN[known])
    except ValueError:
        return False
    return True
