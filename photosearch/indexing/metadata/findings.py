"""What one source of metadata says, before the sources are put together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from photosearch.indexing.metadata.dates import Date
from photosearch.indexing.metadata.regions import Faces


@dataclass(frozen=True)
class Findings:
    """As `index.Metadata`; `rating` 0 says that no stars are given, None says nothing.

    `taken` are dates on which it may have been taken, the likeliest first; `universal` is when, in
    universal time, which is `unsure` where it may be that of an upload; and `modified` is when it
    was last worked on. `faces` are where faces are in the picture, not all of which have a name.
    """

    taken: tuple[Date, ...] | None = None
    universal: datetime | None = None
    unsure: bool | None = None
    modified: Date | None = None
    position: tuple[float, float] | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    rating: int | None = None
    caption: str | None = None
    keywords: tuple[str, ...] | None = None
    people: tuple[str, ...] | None = None
    faces: Faces | None = None
    favourite: bool | None = None
    live_id: str | None = None


# What most of the sources say of most photos.
NOTHING = Findings()
_NAMES = tuple(field.name for field in fields(Findings))


def first_said(*sources: Findings) -> Findings:
    """Of each field what the first source that has it says."""
    telling = [source for source in sources if source is not NOTHING]
    if len(telling) < 2:
        return telling[0] if telling else NOTHING
    values = {}
    for name in _NAMES:
        for source in telling:
            value = getattr(source, name)
            if value is not None:
                values[name] = value
                break
    return Findings(**values)
