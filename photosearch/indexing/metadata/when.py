"""When a photo was taken, out of all that speaks of it, in the order of trust."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from photosearch.indexing.metadata.dates import Date, date_at
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.folders import date_of_folder
from photosearch.indexing.metadata.names import date_of_name
from photosearch.indexing.metadata.zones import local_at, offset_between

# Seconds from which on the beginning and the end of a video may be taken for another zone.
_LONG = 400.0


@dataclass(frozen=True)
class Said:
    """A date, and where it is from: one of the names that `index.Metadata` has for that."""

    date: Date
    source: str


@dataclass(frozen=True)
class Sources:
    """What there is about one photo: XMP `beside` it, Takeout's `exported`, the `camera`'s record
    (or a video's, `seconds` long), the XMP and the `press`'s record in it, its position and path.
    """

    beside: Sequence[Findings]
    exported: Findings
    camera: Findings
    inside: Findings
    press: Findings
    position: tuple[float, float] | None
    path: str
    is_video: bool = False
    seconds: float | None = None


def when_taken(sources: Sources) -> Said | None:
    """The date that is to be believed most, known as exactly as another one tells that agrees.

    What its owner wrote beside a photo goes before what is in it. A clock that looks as if it was
    never set counts after the file's name.
    """
    case = _Case(sources)
    ranked = case.trusted()
    # Of most photos the camera says it all.
    if not ranked or ranked[0].date.moment is None:
        ranked += case.others()
    if not ranked:
        return None
    best = ranked[0]
    if best.date.moment is None:
        finer = (one for one in ranked[1:] if one.source in _EXACT and best.date.holds(one.date))
        best = next((one for one in finer if one.date != best.date), best)
    if best.date.offset is None:
        same = (one.date.offset for one in ranked if one.date.text == best.date.text)
        offset = next((each for each in same if each is not None), None)
        best = Said(Date(best.date.text, offset), best.source)
    return best


def dated_alike(path: str, other: str) -> bool:
    """Whether two paths say the same of when a photo was taken."""
    names = {date_of_name(os.path.basename(each)) for each in (path, other)}
    return len(names) == 1 and date_of_folder(path) == date_of_folder(other)


# Those that may tell the time of a day which another has.
_EXACT = frozenset({"sidecar", "takeout", "exif", "gps", "xmp", "iptc", "name"})


class _Case:
    """What speaks of one photo, in the order of trust."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._inside = _inside(sources)

    @cached_property
    def _named(self) -> Date | None:
        named = date_of_name(os.path.basename(self._sources.path))
        return None if named is None else _localised(named, self._sources.position)

    def _exported(self, *, sure: bool) -> list[Said]:
        exported = self._sources.exported
        if exported.universal is None or sure is bool(exported.unsure):
            return []
        return [_exported(exported.universal, self._sources.position, self._inside, self._named)]

    def trusted(self) -> list[Said]:
        beside = [
            Said(date, "sidecar") for each in self._sources.beside for date in each.taken or ()
        ]
        own = {said.date.text for said in self._inside}
        return [
            # One that its camera has too may be a copy; another is its owner's word.
            *(said for said in beside if said.date.text not in own or not said.date.is_doubtful),
            *self._exported(sure=True),
            *(said for said in self._inside if not said.date.is_doubtful),
        ]

    def others(self) -> list[Said]:
        named = self._named
        doubtful = [said for said in self._inside if said.date.is_doubtful]
        # The name has no more to say than a clock that it agrees with.
        confirmed = [said for said in doubtful if named is not None and named.holds(said.date)]
        left = [said for said in doubtful if said not in confirmed]
        by_name = [] if named is None else [Said(named, "name")]
        modified, folder = self._sources.camera.modified, date_of_folder(self._sources.path)
        late = [*left, *self._exported(sure=False), *_by_clock(self._sources)]
        if modified is not None:
            late.append(Said(modified, "modified"))
        return [
            *confirmed,
            *_with_offset(by_name, self._sources),
            *(said for said in late if not said.date.was_never_set),
            *([] if folder is None else [Said(folder, "folder")]),
            *(said for said in late if said.date.was_never_set),
        ]


def _inside(sources: Sources) -> list[Said]:
    """What the file itself says, but for a video's clock that is of no zone."""
    found = [Said(date, "exif") for date in sources.camera.taken or ()]
    universal = sources.camera.universal
    if universal is not None:
        local = _local(universal, sources.position)
        if not sources.is_video:
            local = local or Date(universal.isoformat(), 0)
        if local is not None:
            found.append(Said(local, "exif" if sources.is_video else "gps"))
    for findings, source in ((sources.inside, "xmp"), (sources.press, "iptc")):
        found += [Said(date, source) for date in findings.taken or ()]
    return found


def _local(universal: datetime, position: tuple[float, float] | None) -> Date | None:
    local = None if position is None else local_at(universal, position)
    return None if local is None else date_at(local)


def _localised(named: Date, position: tuple[float, float] | None) -> Date:
    """A name in universal time, where the place is known, in its time."""
    moment = named.moment
    if named.offset != 0 or moment is None:
        return named
    return _local(moment, position) or named


def _exported(
    universal: datetime,
    position: tuple[float, float] | None,
    inside: Sequence[Said],
    named: Date | None,
) -> Said:
    """The time of Takeout, which is universal: that of a clock which agrees, or of the place."""
    local = _local(universal, position)
    for said in inside:
        moment = said.date.moment
        offset = None if moment is None else offset_between(moment, universal)
        if offset is None or said.date.offset not in (None, offset):
            continue
        if said.date.offset is not None:
            return said
        # Without a place Google takes the clock on the wall for universal time.
        known = offset if offset or (local is not None and local.offset == 0) else None
        return Said(Date(said.date.text, known), said.source)
    if local is not None:
        return Said(local, "takeout")
    moment = None if named is None else named.moment
    if named is not None and moment is not None:
        offset = offset_between(moment, universal)
        if offset is not None:
            return Said(Date(named.text, offset or named.offset), "takeout")
    return Said(Date(universal.isoformat(), 0), "takeout")


def _with_offset(named: list[Said], sources: Sources) -> list[Said]:
    """A video's name with the offset that its clock, which is universal, tells."""
    clock, seconds = sources.camera.universal, sources.seconds or 0.0
    if not named or not sources.is_video or clock is None or seconds > _LONG:
        return named
    (said,) = named
    moment = said.date.moment
    if moment is None or said.date.offset is not None:
        return named
    # Some note the beginning, others the end.
    early = offset_between(moment, clock, slack=3.0)
    offset = early if early is not None else offset_between(moment, clock, late=seconds, slack=3.0)
    # A clock that shows the name's time may be on the wall as well.
    return [Said(Date(said.date.text, offset), said.source)] if offset else named


def _by_clock(sources: Sources) -> list[Said]:
    """The time of a video's clock as it is: universal as a rule, by some cameras the wall's."""
    universal = sources.camera.universal
    if universal is None or not sources.is_video:
        return []
    date = date_at(universal)
    return [] if date is None else [Said(date, "clock")]
