"""What a person's language and country decide: the month in 04/05, and the words on chips.

Locale.of("en-US").month_first    True: 4 May is 05/04 there
Locale.of("de_AT.UTF-8").language    "de"
"""

from __future__ import annotations

import os
import re
from typing import Self

from msgspec import Struct

from photosearch.errors import UsageError
from photosearch.search.dates.words import these

# Where the month comes first in numbers, by Unicode's CLDR. English without a country counts as
# American there, too.
_MONTH_FIRST = frozenset(these("AS FM GU MH MP PH PR PW UM US VI"))
# Countries where, for the most part, summer is in January.
_SOUTHERN = frozenset(these("AO AR AU BO BR BW CL FJ LS MG MU MZ NA NC NZ PE PY RE SZ UY ZA ZM ZW"))
# In which dates and filters are read and said. English and German are read everywhere, French and
# Spanish where the locale is theirs.
SPOKEN = ("en", "de", "fr", "es")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:[-_.@].*)?")


class Locale(Struct, frozen=True):
    """A language of `SPOKEN` (all others are taken for English), and a country, or "".

    `month_first` tells that 04/05 is April there.
    """

    language: str = "en"
    country: str = ""
    month_first: bool = True

    @classmethod
    def of(cls, tag: str) -> Self:
        """From what browsers and systems say: "en-GB", "de_DE.UTF-8", "zh-Hant-TW", "C", "POSIX".

        Raises `UsageError` for anything else.
        """
        if tag.split(".")[0].upper() in ("", "C", "POSIX"):
            return cls()
        found = _TAG.fullmatch(tag)
        if found is None:
            raise UsageError(f"{tag!r} is no locale; write it as en-GB, en-US or de")
        language, country = found[1].lower(), (found[2] or "").upper()
        american = country in _MONTH_FIRST if country else language == "en"
        return cls(language if language in SPOKEN else "en", country, american)

    @property
    def southern(self) -> bool:
        """Whether most people there have summer in January."""
        return self.country in _SOUTHERN


def system_tag() -> str:
    """What the system says that this process's locale is; "" when it says nothing known."""
    for name in ("LC_ALL", "LC_TIME", "LANG"):
        if os.environ.get(name):
            return _known(os.environ[name])
    return ""


def accepted_tag(header: str) -> str:
    """The first language of an HTTP header Accept-Language; "" when there is none that is known."""
    return _known(header.split(",")[0].split(";")[0].strip())


def _known(tag: str) -> str:
    try:
        Locale.of(tag)
    except UsageError:
        return ""
    return tag
