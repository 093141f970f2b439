"""What is fetched of a shared archive just now, in words; for who cannot be answered meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from index.shared.address import address_of, called
from photosearch.errors import PhotosearchError

if TYPE_CHECKING:
    from index.shared.progress import Fetching

# Seconds for which anybody waits without being told why.
MOMENT = 1.0
# And after which it is worth asking again.
_AGAIN = 5

_WORDS = {
    "copy": "fetching this machine's copy",
    "putting": "putting the new copy in the place of the old",
    "changes": "fetching what has changed",
    "upgrade": "upgrading its tables",
    "waiting": "waiting for another photosearch here, which fetches it",
}


class NotYetError(PhotosearchError):
    """Nothing can be answered before much of an archive has been fetched, as is `told`.

    In so many `seconds` it is worth asking again.
    """

    seconds = _AGAIN

    def __init__(self, told: str) -> None:
        super().__init__(f"{told}; ask again in a moment")
        self.told = told


def in_words(fetching: Fetching) -> str:
    """What goes on, and how far it is."""
    if not fetching.total:
        return what(fetching)
    return f"{what(fetching)}, {fetching.done:,} of {fetching.total:,} rows"


def what(fetching: Fetching) -> str:
    return f"{called(fetching.folder)}: {_WORDS[fetching.kind]}"


def fetched_now(folder: Path) -> str | None:
    """What has been going on for the library in a folder for longer than a moment, if anything."""
    if address_of(folder) is None:
        return None
    from index.shared.progress import under_way

    found = under_way(folder)
    if found is None or time.monotonic() - found.begun < MOMENT:
        return None
    return in_words(found)
