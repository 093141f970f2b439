"""What Google Takeout writes beside each photo, as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.dates import is_credible
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.zones import universal

# Some kB are usual.
LONGEST = 1 << 20
# Seconds. Of a photo without a date Google takes the time when it was uploaded.
_UPLOADED = 60


def from_takeout(content: bytes) -> Findings:
    """What the JSON in `content` says; nothing where it is not Takeout's.

    Raises what the parser does where it is no JSON.
    """
    said = json.loads(content)
    if not isinstance(said, dict) or "photoTakenTime" not in said:
        return Findings()
    taken = _moment(said.get("photoTakenTime"))
    uploaded = _moment(said.get("creationTime"))
    unsure = None
    if taken is not None and uploaded is not None:
        unsure = abs((taken - uploaded).total_seconds()) <= _UPLOADED
    people = said.get("people")
    listed = people if isinstance(people, list) else []
    names = [each.get("name") for each in listed if isinstance(each, dict)]
    return Findings(
        universal=taken,
        unsure=unsure,
        position=_position(said.get("geoData")) or _position(said.get("geoDataExif")),
        caption=values.caption(_text(said.get("description"))),
        people=values.words(name for name in names if isinstance(name, str)),
        favourite=True if said.get("favorited") is True else None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: Any) -> datetime | None:
    """Universal time."""
    seconds = value.get("timestamp") if isinstance(value, dict) else None
    try:
        found = universal(int(seconds))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and is_credible(found) else None


def _position(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, dict):
        return None
    try:
        return values.coordinates(float(value["latitude"]), float(value["longitude"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
