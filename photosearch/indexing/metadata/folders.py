"""The date by which people name the folders of their photos."""

from __future__ import annotations

import os
import re
import unicodedata

from photosearch.indexing.metadata.dates import Date, date_of

# So many folders about a photo may tell of it; those above are about machines and disks.
_LEVELS = 4
_YEAR, _MONTH = r"(?P<year>(?:18[2-9]|19\d|20\d)\d)", r"(?P<month>0[1-9]|1[0-2])"
_DAY = r"(?P<day>0[1-9]|[12]\d|3[01])"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # 2019-07-14 Wedding, 20190714; 2019-07-14 - 2019-07-20 and 2019-07-14..20
        rf"{_YEAR}(?P<mark>[-_. ]?){_MONTH}(?P=mark){_DAY}(?!\d)"
        rf"(?P<until>\s*(?:-|_|\.\.|to|bis|au|al)\s*(?:\d{{4}}[-_. ]?\d\d[-_. ]?)?\d\d(?!\d))?",
        # 14.07.2019 Wedding, Wedding 14.07.2019
        rf"(?:.*\D)?{_DAY}\.{_MONTH}\.{_YEAR}(?!\d)(?P<until>\s*(?:-|bis)\s*\d)?",
        # 2019-07 Italy, 2019_07, 201907
        rf"{_YEAR}[-_. ]?{_MONTH}(?!\d|\s*(?:-|bis|to)\s*\d)(?P<day>)",
        # 2019, 2019 Italy, Photos from 2019; but not 2018-2019, 1980s or 1920x1080
        rf"(?:.*[^\w.,]|.*_)?(?<![\d-]{{5}}){_YEAR}\)?\Z(?P<month>)(?P<day>)",
        rf"{_YEAR}(?![\w.,]*\d|\w|\s*-\s*\d|\s*(?:bis|to)\s*\d)(?P<month>)(?P<day>)",
        rf"{_YEAR}_(?!\d)(?P<month>)(?P<day>)",
    )
)
_RANGE = re.compile(r"\d{4}\s*(?:-|_|bis|to|until|au|al)\s*(?:\d{4}|1[3-9]|[2-9]\d)\Z")
# When something was copied or scanned says nothing of when it was taken.
_COPIES = re.compile(
    r"(?:\b|_)(?:back.?ups?|sicherung(?:en)?|sauvegardes?|respaldos?|exports?|imports?|uploads?"
    r"|downloads?|restored?|recover\w*|snapshots?|takeout|scan(?:s|ned)?|eingescannt|digitali\w*"
    r"|digiti[sz]\w*|kopien?|cop(?:y|ies))(?:\b|_)",
    re.IGNORECASE,
)
# "07", "07 July" or "14" below a year or a month
_NUMBER = re.compile(r"(0[1-9]|[12]\d|3[01])(?!\d|[-_.]?\d)")


def date_of_folder(path: str) -> Date | None:
    """The date that the nearest dated folder about the file at `path` is named by."""
    names = [part for part in re.split(r"[/\\]", os.path.dirname(path)) if part][-_LEVELS:]
    inner: list[int] = []
    for name in reversed(names):
        name = unicodedata.normalize("NFKC", name).replace("\u2013", "-").strip()
        found = _named(name)
        if found is not None:
            return _within(found, inner)
        number = _NUMBER.match(name)
        # 2019/07/14 is a day, and so is 2019-07/14.
        inner = [int(number[1]), *inner] if number is not None else []
    return None


def _named(name: str) -> Date | None:
    if _COPIES.search(name) or _RANGE.search(name):
        return None
    for form in _FORMS:
        match = form.match(name)
        if match is None:
            continue
        said = match.groupdict()
        year, month, day = (int(said.get(part) or 0) for part in ("year", "month", "day"))
        if said.get("until"):
            day, month = 0, month if _same_month(match.group()) else 0
        found = date_of(year, month, day)
        if found is not None:
            return found
    return None


def _same_month(text: str) -> bool:
    """Whether the two days in it are of one month."""
    digits = re.findall(r"\d{4}[-_. ]?\d\d", text)
    return len({re.sub(r"\D", "", each) for each in digits}) <= 1 and "." not in text[:3]


def _within(found: Date, inner: list[int]) -> Date:
    """A year or a month, made a month or a day by the numbers of the folders in it."""
    year, *month = (int(part) for part in found.text.split("-"))
    numbers = [*month, *inner, 0, 0]
    if len(found.text) >= 10 or numbers[0] > 12:
        return found
    return date_of(year, numbers[0], numbers[1]) or found
