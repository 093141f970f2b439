"""The moment that cameras and apps write into a file's name."""

from __future__ import annotations

import re
from datetime import datetime

from photosearch.indexing.metadata.values import is_credible

# IMG_20230506_123456, PXL_20230506_123456789, 2023-05-06 12.34.56, IMG-20230506-WA0001,
# Screenshot 2023-05-06 at 12.34.56, photo_2023-05-06_12-34-56, VID_20230506_123456.
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<between>[-_.]?)(?P<month>0[1-9]|1[0-2])(?P=between)"
    r"(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:(?:[-_.T ]+|\s+at\s+)(?P<hour>[01]\d|2[0-3])(?P<inner>[-_.h]?)(?P<minute>[0-5]\d)"
    r"(?:(?P=inner)|m)(?P<second>[0-5]\d)(?:\d{1,3})?)?(?!\d)"
)
# Numbers that happen to look like a date are more likely the older the date is.
_FIRST_YEAR = 1990


def moment_of_name(name: str) -> datetime | None:
    """Local time, at midnight where the name has only the day."""
    for match in _DATE.finditer(name):
        found = match.groupdict()
        numbers = ("year", "month", "day", "hour", "minute", "second")
        try:
            when = datetime(*(int(found[part] or 0) for part in numbers))  # type: ignore[arg-type]
        except ValueError:
            continue
        if when.year >= _FIRST_YEAR and is_credible(when):
            return when
    return None
