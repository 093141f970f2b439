"""EXIF: the camera's own record."""

from __future__ import annotations

import io
import math
import struct
from datetime import datetime, timedelta

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.dates import Date, offset_of, parsed
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.tiff import Directories, Tags

_DESCRIPTION, _MAKE, _MODEL, _ORIENTATION, _DATE = 0x010E, 0x010F, 0x0110, 0x0112, 0x0132
_RATING, _XP_TITLE, _XP_COMMENT, _XP_KEYWORDS = 0x4746, 0x9C9B, 0x9C9C, 0x9C9E
_EXIF, _GPS = 0x8769, 0x8825
_EXPOSURE, _F_NUMBER, _FOCAL_LENGTH, _LENS = 0x829A, 0x829D, 0x920A, 0xA434
_ISO, _RECOMMENDED_INDEX, _ISO_SPEED = 0x8827, 0x8832, 0x8833
_TAKEN, _DIGITISED = 0x9003, 0x9004
_OFFSET, _OFFSET_TAKEN, _OFFSET_DIGITISED = 0x9010, 0x9011, 0x9012
_ZONE_HOURS = 0x882A  # of EXIF before it had offsets
_MAKER_NOTE, _CONTENT_IDENTIFIER = 0x927C, 0x0011
_APPLE = b"Apple iOS\0\0\1MM"
_SOUTH_OR_NORTH, _LATITUDE, _WEST_OR_EAST, _LONGITUDE = 1, 2, 3, 4
_GPS_TIME, _GPS_DATE = 7, 29

_FIRST = frozenset(
    {_DESCRIPTION, _MAKE, _MODEL, _DATE, _RATING, _XP_TITLE, _XP_COMMENT, _XP_KEYWORDS, _EXIF, _GPS}
)
_SECOND = frozenset(
    {_EXPOSURE, _F_NUMBER, _FOCAL_LENGTH, _LENS, _ISO, _RECOMMENDED_INDEX, _ISO_SPEED,
     _TAKEN, _DIGITISED, _OFFSET, _OFFSET_TAKEN, _OFFSET_DIGITISED, _ZONE_HOURS,
     _MAKER_NOTE}
)  # fmt: skip
_WHERE = frozenset({_SOUTH_OR_NORTH, _LATITUDE, _WEST_OR_EAST, _LONGITUDE, _GPS_TIME, _GPS_DATE})


def from_directories(source: Directories) -> Findings:
    """What the first directory of `source`, and the two that it points to, say."""
    first = _read(source, source.first, _FIRST)
    second = _read(source, _number(first, _EXIF), _SECOND)
    return from_tags(first, second, _read(source, _number(first, _GPS), _WHERE))


def orientation(source: Directories) -> int | None:
    """How the picture lies that `source` tells of, 1 to 8."""
    said = _number(_read(source, source.first, frozenset({_ORIENTATION})), _ORIENTATION)
    return int(said) if said is not None and said in range(1, 9) else None


def from_separate(sources: dict[str, Directories]) -> Findings:
    """The same where each directory is a structure of its own, as in Canon's CR3."""
    first, second, where = (
        _read(source, source.first, wanted) if (source := sources.get(name)) else {}
        for name, wanted in (("CMT1", _FIRST), ("CMT2", _SECOND), ("CMT4", _WHERE))
    )
    return from_tags(first, second, where)


def from_tags(first: Tags, second: Tags, where: Tags) -> Findings:
    iso = _number(second, _ISO)
    if iso is None or iso >= 65535:  # more than the field can hold
        iso = _number(second, _ISO_SPEED) or _number(second, _RECOMMENDED_INDEX) or iso
    iso = values.positive(iso, 10_000_000)
    return Findings(
        taken=_taken(second),
        universal=_by_satellites(where),
        modified=parsed(_text(first, _DATE)),
        position=values.coordinates(
            _degrees(where, _LATITUDE, _SOUTH_OR_NORTH, b"S"),
            _degrees(where, _LONGITUDE, _WEST_OR_EAST, b"W"),
        ),
        camera=values.camera(_text(first, _MAKE), _text(first, _MODEL)),
        lens=_lens(second),
        exposure_time=values.positive(_number(second, _EXPOSURE), 1e6),
        f_number=values.positive(_number(second, _F_NUMBER), 1000),
        iso=None if iso is None else int(iso),
        focal_length=values.positive(_number(second, _FOCAL_LENGTH), 100_000),
        rating=values.rating(_number(first, _RATING)),
        caption=_caption(first),
        keywords=_keywords(first),
        live_id=_live_id(second.get(_MAKER_NOTE)),
    )


def _live_id(note: object) -> str | None:
    """What an iPhone writes into the still and the video of a Live Photo."""
    if not isinstance(note, bytes) or not note.startswith(_APPLE):
        return None
    # Its directory follows, and counts from the note's first byte; before it stands a TIFF's head.
    head = b"MM\0*" + struct.pack(">I", len(_APPLE))
    inner = Directories(io.BytesIO(head + note[len(head) :]))
    return _text(_read(inner, inner.first, frozenset({_CONTENT_IDENTIFIER})), _CONTENT_IDENTIFIER)


def _read(source: Directories, offset: float | None, wanted: frozenset[int]) -> Tags:
    if offset is None:
        return {}
    try:
        return source.read(offset, wanted)
    except (ValueError, OverflowError, OSError):  # one damaged directory leaves the others
        return {}


def _number(tags: Tags, tag: int) -> float | None:
    value = tags.get(tag)
    return value[0] if isinstance(value, tuple) else None


def _text(tags: Tags, tag: int) -> str | None:
    value = tags.get(tag)
    return values.text(value) if isinstance(value, bytes) else None


def _wide_text(tags: Tags, tag: int) -> str | None:
    """Windows Explorer's fields, which are UTF-16 in bytes."""
    value = tags.get(tag)
    if not isinstance(value, bytes):
        return None
    return values.long_text(value.decode("utf-16-le", "replace").split("\0", 1)[0])


def _taken(second: Tags) -> tuple[Date, ...] | None:
    """When the picture was made, and when it was made digital, which for most is the same."""
    found = []
    hours = _number(second, _ZONE_HOURS)
    for tag, zone in ((_TAKEN, _OFFSET_TAKEN), (_DIGITISED, _OFFSET_DIGITISED)):
        date = parsed(_text(second, tag))
        if date is None:
            continue
        offset = offset_of(_text(second, zone) or _text(second, _OFFSET))
        if offset is None and hours is not None and -12 <= hours <= 14:
            offset = int(hours * 60)
        known = date.offset is not None or date.moment is None
        found.append(date if known else Date(date.text, offset))
    return tuple(found) or None


def _by_satellites(where: Tags) -> datetime | None:
    """Universal time, as satellites tell it."""
    date, time = parsed(_text(where, _GPS_DATE)), where.get(_GPS_TIME)
    if date is None or len(date.text) < 10 or not isinstance(time, tuple) or len(time) < 3:
        return None
    hour, minute, second = time[:3]
    if not (0 <= hour < 25 and 0 <= minute < 60 and 0 <= second < 61):  # nor is NaN, then
        return None
    # Some write the time behind the date, too.
    midnight = datetime.fromisoformat(date.text[:10])
    return midnight + timedelta(hours=hour % 24, minutes=minute, seconds=int(second))


def _lens(second: Tags) -> str | None:
    lens = _text(second, _LENS)
    # What some bodies write without a lens that talks to them.
    return None if lens is None or not lens.strip("-0. mMfF/") else lens


def _caption(first: Tags) -> str | None:
    value = first.get(_DESCRIPTION)
    caption = values.caption(value) if isinstance(value, bytes) else None
    return caption or _wide_text(first, _XP_TITLE) or _wide_text(first, _XP_COMMENT)


def _keywords(first: Tags) -> tuple[str, ...] | None:
    return values.words((_wide_text(first, _XP_KEYWORDS) or "").split(";"))


def _degrees(where: Tags, tag: int, reference: int, negative: bytes) -> float | None:
    parts = where.get(tag)
    if not isinstance(parts, tuple) or not parts:
        return None
    if math.isnan(parts[0]):
        return None
    # Seconds that are zero by zero are common where the minutes have decimals.
    sizes = [part / 60**power for power, part in enumerate(parts[:3]) if not math.isnan(part)]
    degrees = float(sum(sizes))
    sign = where.get(reference)
    below = isinstance(sign, bytes) and sign[:1].upper() == negative
    return -degrees if below else degrees
