"""Dates, each as exactly as it is known: a year, a month, a day, or a second."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Photography's first year; cameras whose clock was never set say 0000.
_FIRST_YEAR = 1826
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# What clocks say that nobody ever set: where the calendars of computers, file systems and
# QuickTime begin, also as seen from a zone west of Greenwich.
_NEVER_SET = frozenset(
    {"1601-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1904-01-01", "1969-12-31",
     "1970-01-01", "1979-12-31", "1980-01-01", "1980-01-06"}
)  # fmt: skip
# What cameras and phones say after their battery was empty; somebody may have been out that day.
_FACTORY = frozenset({"2002-12-08"})
# Many begin with a year, and have run on for a while.
_NEW_YEAR = re.compile(r"\d{4}-01-01T00:")

_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?"
_TIME = (
    r"[T\s,_]+(?P<hour>\d{1,2}|\s\s):(?P<minute>\d{1,2}|\s\s)"
    r"(?::(?P<second>\d{1,2}|\s\s)(?:[.,]\d*)?)?\s*(?P<half>[AaPp])?\.?(?(half)[Mm]\.?)"
)
# What is not known is 00 in some, and blank in others.
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"\s*(?P<year>\d{{4}})(?P<mark>[-:/.])(?P<month>\d{{1,2}}|\s\s)[-:/.]"
        rf"(?P<day>\d{{1,2}}|\s\s)(?!\d)(?:{_TIME})?{_ZONE}",
        r"\s*(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
        rf"(?:[T\s_-]?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?:[.,]\d*)?)?{_ZONE}\s*\Z",
        rf"\s*(?P<year>\d{{4}})(?:[-:/.]\s*(?P<month>\d{{1,2}})?\s*)?(?:[-:/.]\s*)?{_ZONE}\s*\Z",
        r"\s*(?:[A-Za-z]{3},?\s+)?(?P<name>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+"
        r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\s+(?P<year>\d{4})\s*\Z",
    )
)
# Characters that the longest of them has, and a few more.
_LONGEST = 64
_OFFSET = re.compile(r"\s*(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?\s*\Z")


@dataclass(frozen=True)
class Date:
    """`text` is local time as in ISO 8601, and ends where knowledge ends.

    "1985", "1985-07", "1985-07-04" or "1985-07-04T12:00:00". `offset`, minutes east of Greenwich,
    is known of some of the last kind.
    """

    text: str
    offset: int | None = None

    @property
    def moment(self) -> datetime | None:
        """Local time, where it is known to the second."""
        return datetime.fromisoformat(self.text) if len(self.text) == 19 else None

    def holds(self, other: Date) -> bool:
        """Whether the other may be this one, known as exactly or better."""
        return other.text.startswith(self.text)

    @property
    def was_never_set(self) -> bool:
        """Whether it is where a clock begins to count."""
        return self.text[:10] in _NEVER_SET

    @property
    def is_doubtful(self) -> bool:
        """Whether it may be that of a clock that nobody has set."""
        known = self.text[:10]
        return known in _NEVER_SET | _FACTORY or _NEW_YEAR.match(self.text) is not None


def date_of(
    year: int,
    month: int | None = None,
    day: int | None = None,
    time: tuple[int, int, int] | None = None,
    offset: int | None = None,
) -> Date | None:
    """The date of these numbers; what is 0 or None, or follows it, is not known.

    None when there is no such day, or no photo can be of it. An hour of 24 stands for 0, a second
    of 60 for the one before, as clocks write them; a time that cannot be leaves the day.
    """
    try:
        first = datetime(year, month or 1, (month and day) or 1)
    except ValueError:
        return None
    if not is_credible(first):
        return None
    if not month:
        return Date(f"{year:04d}")
    if not day:
        return Date(f"{year:04d}-{month:02d}")
    if time is None:
        return Date(first.date().isoformat())
    hour, minute, second = time
    hour, second = (0 if hour == 24 else hour), (59 if second == 60 else second)
    try:
        whole = first.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return Date(first.date().isoformat())
    return Date(whole.isoformat(), offset) if is_credible(whole) else None


def date_at(moment: datetime) -> Date | None:
    """The date of a moment, whose offset counts if it has one."""
    offset = moment.utcoffset()
    local = moment.replace(tzinfo=None, microsecond=0)
    if not is_credible(local):
        return None
    return Date(local.isoformat(), None if offset is None else int(offset.total_seconds() // 60))


def parsed(text: str | None) -> Date | None:
    """The date that `text` is, in EXIF's form, ISO 8601 of any precision, or C's."""
    said = (text or "").strip()
    # Of a long one the blanks would take for ever.
    for form in _FORMS if len(said) <= _LONGEST else ():
        found = form.match(said)
        if found is not None:
            return _read({name: value for name, value in found.groupdict().items() if value})
    return None


def _read(said: dict[str, str]) -> Date | None:
    def number(name: str) -> int | None:
        value = said.get(name, "").strip()
        return int(value) if value else None

    month = number("month")
    if "name" in said:
        name = said["name"].lower()
        if name not in _MONTHS:
            return None
        month = _MONTHS.index(name) + 1
    hour, minute = number("hour"), number("minute")
    time = None if hour is None or minute is None else (hour, minute, number("second") or 0)
    if time is not None and "half" in said:
        time = after_noon(time, said["half"])
    return date_of(number("year") or 0, month, number("day"), time, offset_of(said.get("zone")))


def after_noon(time: tuple[int, int, int], half: str) -> tuple[int, int, int]:
    """A time of the clock with 12 hours; `half` begins with A or P. One of 24 stays as it is."""
    hour, minute, second = time
    if hour > 12:
        return time
    return hour % 12 + (12 if half[:1].upper() == "P" else 0), minute, second


def is_credible(when: datetime) -> bool:
    """Whether a photo may have been taken then: not before there were any, nor after tomorrow."""
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    return when.year >= _FIRST_YEAR and when <= tomorrow


def offset_of(text: str | None) -> int | None:
    """Minutes east of Greenwich, from "+02:00", "+2" or "Z"."""
    if text is None:
        return None
    if text.strip() in ("Z", "UTC", "GMT"):
        return 0
    match = _OFFSET.match(text)
    if match is None:
        return None
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    if minutes > 14 * 60:  # the largest that any country has
        return None
    return -minutes if match[1] == "-" else minutes
