"""Where faces are in a picture, as programs outline them, and where that is when it is upright."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from index import Region
from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.rdf import Packet

# How far the proportions of a picture may be from those for which it was outlined: it may have been
# scaled since, which rounds them, but not cut.
_ALIKE = 0.03
_NUMBERS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Faces:
    """Faces of one source: `regions` in parts of the picture as it is stored, or `upright`.

    `size` is the width and height for which they were outlined, where that is said.
    """

    regions: tuple[Region, ...]
    size: tuple[float, float] | None = None
    upright: bool = False


def names_in(packet: Packet) -> list[str]:
    """Who is named in a packet's outlines of faces, also where it is not said where they are."""
    return [name for outline in packet.outlines if (name := _name(outline)) and _is_face(outline)]


def faces_in(packet: Packet) -> Faces | None:
    """The faces that a packet outlines; None where there are none.

    Some programs write all of them twice, in the form of the Metadata Working Group and in that of
    Microsoft.
    """
    width, height = (_number(packet.size.get(f"stDim:{side}")) for side in "wh")
    size = (width, height) if width and height and min(width, height) > 0 else None
    found: list[Region] = []
    second: list[Region] = []
    for outline in packet.outlines:
        if "MPReg:Rectangle" in outline:
            second += _rectangle(outline)
        elif _is_face(outline):
            found += _area(outline, size)
    known = {one.name for one in found}
    found += [one for one in second if not found or (one.name and one.name not in known)]
    return Faces(tuple(found), size) if found else None


def region(name: str, left: float, top: float, width: float, height: float) -> list[Region]:
    """The region within the picture, or none: what lies outside, or has no size, is no place."""
    sides = (left, top, left + width, top + height)
    if not all(map(math.isfinite, sides)):
        return []
    left, top, right, bottom = (min(1.0, max(0.0, side)) for side in sides)
    if right <= left or bottom <= top:
        return []
    rounded = (round(side, 5) for side in (left, top, right - left, bottom - top))
    return [Region(values.text(name) or "", *rounded)]


def upright(faces: Faces, orientation: int, stored: tuple[int, int] | None) -> tuple[Region, ...]:
    """The regions in the picture as it is seen, which is `stored` with that width and height.

    `orientation` is how it lies, as EXIF counts it. The guidelines of the Metadata Working Group
    are that outlines are of the picture as it is stored; where the size that is said with them is
    that of the upright one, they are of that. Of a picture that was cut since, none is left.
    """
    lies = orientation > 4
    if faces.size and stored:
        shape = faces.size[0] / faces.size[1]
        as_stored = stored[0] / stored[1]
        as_seen = 1 / as_stored if lies else as_stored
        if not _alike(shape, as_stored):
            return faces.regions if _alike(shape, as_seen) else ()
    if faces.upright:
        return faces.regions
    return tuple(_turned(one, orientation) for one in faces.regions)


def _turned(one: Region, orientation: int) -> Region:
    left, top = one.left, one.top
    right, bottom = 1 - left - one.width, 1 - top - one.height
    # Where its left and upper side come to.
    sides = {
        2: (right, top), 3: (right, bottom), 4: (left, bottom), 5: (top, left),
        6: (bottom, left), 7: (bottom, right), 8: (top, right),
    }.get(orientation, (left, top))  # fmt: skip
    size = (one.height, one.width) if orientation > 4 else (one.width, one.height)
    x, y = (round(max(0.0, side), 5) for side in sides)
    return replace(one, left=x, top=y, width=size[0], height=size[1])


def _alike(one: float, other: float) -> bool:
    return abs(one / other - 1) <= _ALIKE


def _is_face(outline: dict[str, str]) -> bool:
    """Pets, bar codes and what was in focus are outlined as well."""
    return outline.get("mwg-rs:Type", "Face") == "Face"


def _name(outline: dict[str, str]) -> str:
    return outline.get("mwg-rs:Name") or outline.get("MPReg:PersonDisplayName") or ""


def _area(outline: dict[str, str], size: tuple[float, float] | None) -> list[Region]:
    """Of the Metadata Working Group: the middle, width and height, in parts or in pixels."""
    numbers = _finite(outline.get(f"stArea:{side}") for side in ("x", "y", "w", "h"))
    if numbers is None:
        return []
    if outline.get("stArea:unit", "normalized") == "pixel":
        if size is None:
            return []
        numbers = [number / size[at % 2] for at, number in enumerate(numbers)]
    x, y, width, height = numbers
    return region(_name(outline), x - width / 2, y - height / 2, width, height)


def _rectangle(outline: dict[str, str]) -> list[Region]:
    """Of Microsoft: left, top, width and height, in parts."""
    numbers = _finite(_NUMBERS.split(outline["MPReg:Rectangle"].strip()))
    if numbers is None or len(numbers) != 4:
        return []
    left, top, width, height = numbers
    return region(_name(outline), left, top, width, height)


def _finite(texts: Iterable[str | None]) -> list[float] | None:
    numbers = [_number(text) for text in texts]
    return None if None in numbers else [number for number in numbers if number is not None]


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
