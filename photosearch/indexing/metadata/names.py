"""The date that cameras, messengers and screenshot tools write into a file's name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from photosearch.indexing.metadata.dates import Date, after_noon, date_at, date_of
from photosearch.indexing.metadata.zones import universal

_MONTH, _DAY = r"(?P<month>0\d|1[0-2])", r"(?P<day>0\d|[12]\d|3[01])"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 2023-05-06, 2023_05_06, 1985-00-00; IMG_20230506, IMG20230506143456
        rf"(?<!\d)(?P<year>18[2-9]\d|19\d\d|20\d\d)(?P<mark>[-_. ]){_MONTH}(?P=mark){_DAY}",
        rf"(?<!\d){_YEAR}{_MONTH}{_DAY}",
        # 2023_0506_143456, by cameras in cars
        rf"(?<!\d){_YEAR}_{_MONTH}{_DAY}(?=_\d{{6}}(?!\d))",
        # 2023年5月6日
        rf"(?<!\d){_YEAR}[年년]\s?(?P<month>\d\d?)[月월]\s?(?P<day>\d\d?)[日일]",
        # 06.05.2023; photo_1@06-05-2023 by Telegram; 06-05-2023 only where it cannot be May 6th
        rf"(?<![\d.]){_DAY}\.{_MONTH}\.{_YEAR}(?!\d)",
        rf"@{_DAY}-{_MONTH}-{_YEAR}(?!\d)",
        rf"(?<![\d-])(?P<day>1[3-9]|2\d|3[01])(?P<mark>[-_]){_MONTH}(?P=mark){_YEAR}(?!\d)",
        rf"(?<![\d-]){_MONTH}(?P<mark>[-_])(?P<day>1[3-9]|2\d|3[01])(?P=mark){_YEAR}(?!\d)",
        # Photo on 06.05.23 at 14.34, Foto 06.05.23, 14 34 56; in America Photo on 5-6-23 at 2.34 PM
        rf"\b(?:photo|foto|video|vidéo|film|movie)\D{{1,6}}{_DAY}\.{_MONTH}\.(?P<short>\d\d)(?!\d)",
        r"\b(?:photo|movie) on (?P<month>\d\d?)-(?P<day>\d\d?)-(?P<short>\d\d)(?= at )",
    )
)
_HOUR, _MINUTE, _SECOND = r"(?P<hour>[01]?\d|2[0-4])", r"(?P<minute>[0-5]\d)", r"[0-5]\d|60"
_HALF = r"(?:\s?(?P<half>[ap])\.?\s?m\b)?"
# Words between a day and its time, in the languages of phones and desktops.
_WORDS = (
    r"at|um|à|a|às|alle|alle\sore|ore|om|kl\.?|klo|kello|o|ob|v|в|a\sl[ae]s|las|a\sla\(s\)|à\(s\)"
    r"|a\(s\)|lúc|saat|\u043e|오전|오후|上午|下午|午前|午後"
)
_JOINT = re.compile(rf"[-_\s,.T]{{0,3}}(?:{_WORDS})?[-_\s,.]{{0,3}}", re.IGNORECASE)
_AFTERNOON, _MORNING = ("오후", "下午", "午後"), ("오전", "上午", "午前")
_TIMES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 14.34.56, 14-34-56, 14h34m56, 2.34.56 PM; after any word
        rf"(?P<joint>\D{{1,20}}?){_HOUR}(?P<inner>[-._:'h時시点 ]){_MINUTE}"
        rf"(?:(?P=inner)|[m分분])(?P<second>{_SECOND})(?!\d){_HALF}",
        # 143456, with fractions or without
        rf"(?P<joint>\D{{0,20}}?)(?P<hour>[01]\d|2[0-4]){_MINUTE}(?P<second>{_SECOND})\d{{0,4}}(?!\d)"
        r"(?P<zone>Z(?![a-z]))?",
        # 14.34, 14-34, 2:34 PM
        rf"(?P<joint>\D{{1,20}}?){_HOUR}(?P<inner>[-._:h時시点]){_MINUTE}(?!\d|[-._:]\d)(?![.,-]\d){_HALF}",
    )
)
_PLAIN = re.compile(r"[-_ T.,]{0,3}", re.IGNORECASE)
# Milliseconds since 1970, by Facebook, WeChat, LINE and others, or alone.
_EPOCH = re.compile(
    r"(?:(?:FB_IMG|FB_VID|mmexport|wx_camera|microMsg|LINE|LINE_MOVIE|IMG|VID|VIDEO|image|photo"
    r"|picture|screenshot)[-_. ]?)?(?P<epoch>1\d{12}|9[4-9]\d{10})(?!\d)",
    re.IGNORECASE,
)
_EPOCH_BEGINS = datetime(2000, 1, 1)
# 2019-07 Rome; but not 2019-07-14 or a number of a series, 2019-07_001
_WHOLE_MONTH = re.compile(rf"{_YEAR}[-_.](?P<month>0[1-9]|1[0-2])(?![-_.]?\d)")
# 12052008(001), by phones before there were smart ones
_BACKWARDS = re.compile(rf"{_DAY}{_MONTH}{_YEAR}(?:\(\d+\)|\d{{3}})?\Z")
# Fewer digits make no date.
_ENOUGH = re.compile(r"\d(?:.*\d){3}")
# Hashes and UUIDs, in which digits are by chance what they are.
_HASH = re.compile(r"(?=.*[a-f])[0-9a-f-]{20,}\Z", re.IGNORECASE)
# Pixel phones name their photos in universal time.
_UNIVERSAL = re.compile(r"PXL_")


def date_of_name(name: str) -> Date | None:
    """The date in a file's name, in local time; in universal time where its offset is 0."""
    # Also of narrow spaces, which macOS puts before "PM", and of wide digits.
    stem = unicodedata.normalize("NFKC", os.path.splitext(name)[0])
    if not _ENOUGH.search(stem) or _HASH.match(stem):
        return None
    return next(_dates(stem), None)


def _dates(stem: str) -> Iterator[Date]:
    found = [match for form in _DATES for match in form.finditer(stem)]
    # Of two that begin together, the longer one.
    for match in sorted(found, key=lambda match: (match.start(), -match.end())):
        date = _date(stem, match)
        if date is not None:
            yield date
    epoch = _EPOCH.match(stem)
    if epoch is not None:
        when = universal(int(epoch["epoch"]) // 1000)
        date = date_at(when) if when is not None and when >= _EPOCH_BEGINS else None
        if date is not None:
            yield Date(date.text, 0)
    for form in (_WHOLE_MONTH, _BACKWARDS):
        whole = form.match(stem)
        date = _date(stem, whole) if whole is not None else None
        if date is not None:
            yield date


def _date(stem: str, match: re.Match[str]) -> Date | None:
    said = match.groupdict()
    year = int(said.get("year") or 0)
    if "short" in said:
        # Such names are younger than photography.
        year = 2000 + int(said["short"])
    month, day = int(said["month"]), int(said.get("day") or 0)
    compact = match.re is _DATES[1]
    if compact and not (month and day):
        return None
    time = _time(stem, match.end(), compact)
    if time is None and stem[match.end() : match.end() + 1].isdigit():
        return None  # a longer number, of which this is a part
    if time is None or "day" not in said:
        return date_of(year, month, day)
    clock, zone = time
    in_universal = zone is not None or _UNIVERSAL.match(stem) is not None
    return date_of(year, month, day, clock, 0 if in_universal else None)


def _time(stem: str, start: int, compact: bool) -> tuple[tuple[int, int, int], str | None] | None:
    """The time that follows a day which ends at `start`, and "Z" where it is universal."""
    for form in _TIMES:
        found = form.match(stem, start)
        if found is None:
            continue
        said = found.groupdict()
        joint, half = said["joint"], said.get("half") or ""
        known = _JOINT.fullmatch(joint) is not None
        if "inner" not in said:
            # Six digits after any word may count something.
            if not (known and (joint or compact)):
                continue
        elif not (said.get("second") or half or known):
            continue
        clock = int(said["hour"]), int(said["minute"]), int(said.get("second") or 0)
        if any(word in joint for word in _AFTERNOON):
            half = "p"
        elif any(word in joint for word in _MORNING):
            half = "a"
        return (after_noon(clock, half) if half else clock), said.get("zone")
    return None
