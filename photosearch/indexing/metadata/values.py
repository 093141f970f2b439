"""From what metadata holds to values that can be believed; None for what cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import islice

_NUL_AND_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")
_SHORT, _LONG = 200, 10_000
_KEYWORDS = 1000

# What cameras write as a description of every picture.
_NOT_CAPTIONS = (
    "olympus digital camera", "sony dsc", "minolta digital camera", "samsung camera", "dcim",
    "digital camera", "default", "untitled", "exif_jpeg_picture", "kodak digital",
)  # fmt: skip


def coordinates(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Degrees north and east. Zero by zero is what devices write that do not know."""
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # nor is NaN, then
        return None
    return latitude, longitude


def text(value: bytes | str | None, limit: int = _SHORT) -> str | None:
    """Without the padding of fixed fields and control characters; Latin-1 if not UTF-8."""
    if isinstance(value, bytes):
        value = _decoded(value.split(b"\0", 1)[0])
    cleaned = _NUL_AND_CONTROLS.sub(" ", value or "").strip()
    return cleaned[:limit].rstrip() or None


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        # What Windows takes for Latin-1, which has quotes and dashes where that has controls.
        return value.decode("cp1252")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def long_text(value: bytes | str | None) -> str | None:
    return text(value, _LONG)


def caption(value: bytes | str | None) -> str | None:
    """What somebody wrote, and no camera."""
    said = long_text(value)
    return None if said is None or said.lower().startswith(_NOT_CAPTIONS) else said


def words(candidates: Iterable[str]) -> tuple[str, ...] | None:
    """Keywords, each once, in order."""
    cleaned = (text(candidate) for candidate in islice(candidates, _KEYWORDS))
    return tuple(dict.fromkeys(word for word in cleaned if word)) or None


def positive(value: float | None, largest: float) -> float | None:
    """A quantity that can be neither zero, nor negative, nor above `largest`."""
    if value is None or not math.isfinite(value) or not 0 < value <= largest:
        return None
    return float(value)


def rating(value: float | str | None) -> int | None:
    """Stars: 1 to 5, 0 for none given, and -1 for a rejected photo."""
    try:
        stars = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return int(stars) if -1 <= stars <= 5 else None


def camera(make: str | None, model: str | None) -> str | None:
    """One name of both; models often begin with their maker."""
    if model is None:
        return make
    # "NIKON CORPORATION", "OLYMPUS IMAGING CORP.": the first word is what people call it.
    first = (make or "").split(" ")[0]
    known = not first or model.lower().startswith(first.lower())
    return model if known else f"{first} {model}"
