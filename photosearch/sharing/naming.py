"""Names of copies: what every system takes, and each only once."""

from __future__ import annotations

import os

from index.catalogue.functions import composed
from photosearch.portable.names import portable_name


class Names:
    """The names that are taken in one place."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        # The last number of each name, so that a thousand IMG_1.jpg do not count up each time.
        self._last: dict[str, int] = {}

    def free(self, wanted: str) -> str:
        """`wanted` as every system takes it, with a number when it is taken; it is from now on."""
        name = wanted = portable_name(wanted)
        stem, suffix = os.path.splitext(wanted)
        # Some disks tell neither capitals nor the two forms of accents apart.
        base = composed(wanted).casefold()
        number = self._last.get(base, 1)
        while composed(name).casefold() in self._taken:
            number += 1
            name = f"{stem} ({number}){suffix}"
        self._last[base] = number
        self._taken.add(composed(name).casefold())
        return name
