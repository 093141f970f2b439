"""Whether a photo and a file of its name were made at the same moment, by what they say."""

from __future__ import annotations

from datetime import datetime, timedelta

from index import Metadata
from photosearch.indexing.metadata.zones import offset_between

# What the files themselves say. A sidecar that describes both says the same of both, and so does a
# folder; times of change are those of when files were copied.
_OWN = ("exif", "gps", "xmp", "iptc", "name", "clock")
# Of a video whose zone nobody knows the time is the universal one.
_UNIVERSAL = "clock"
_SECONDS = 3.0
_EXACT = len("1985-07-04T12:00:00")


def share_moment(still: Metadata, other: Metadata, *, lasts: float = 0.0) -> bool:
    """Whether both say when they were made, to the second, and that this was at once.

    `lasts`: seconds of a video, which may be dated by its end.
    """
    one, two = _moment(still), _moment(other)
    if one is None or two is None:
        return False
    if other.taken_source == _UNIVERSAL != still.taken_source:
        return offset_between(one, two, late=lasts, slack=_SECONDS) is not None
    apart = [one - two]
    if still.taken_offset_minutes is not None and other.taken_offset_minutes is not None:
        between = still.taken_offset_minutes - other.taken_offset_minutes
        apart.append(one - two - timedelta(minutes=between))
    return any(abs(each.total_seconds()) <= _SECONDS + lasts for each in apart)


def _moment(said: Metadata) -> datetime | None:
    if said.taken_source not in _OWN or said.taken_at is None or len(said.taken_at) != _EXACT:
        return None
    return datetime.fromisoformat(said.taken_at)
