"""Places in plain words: "pizza in Rome at night"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.catalogue.functions import place_key
from photosearch.search.filters import World

_IN_PLACE = re.compile(
    r"\b(?:in|from|at|aus|bei)\s+(?:(?:the|der|den|dem|die|das)\s+)?(?=\w)", re.IGNORECASE
)
_WORD = re.compile(r"\S+")
# A name has no more words.
_LONGEST = 5


def place_phrases(text: str, start: int, end: int, world: World) -> Iterator[tuple[int, int, int]]:
    """Where each phrase of a known place begins, where its name does, and where both end."""
    left = start
    for found in _IN_PLACE.finditer(text, start, end):
        if found.start() < left:
            continue
        stop = _end_of_name(text, found.end(), end, world)
        if stop is not None:
            yield found.start(), found.end(), stop
            left = stop


def _end_of_name(text: str, start: int, end: int, world: World) -> int | None:
    """Where the name of a known place ends that begins at `start`; the longest one.

    It begins with a capital, or nothing follows it: "in turkey sauce" is no place.
    """
    if not world.places:
        return None
    words = list(_WORD.finditer(text, start, end))[:_LONGEST]
    for count in range(len(words), 0, -1):
        stop = words[count - 1].end()
        name = text[start:stop].rstrip(",.;")
        stop = start + len(name)
        sure = name[:1].isupper() or not text[stop:end].strip(" ,.;")
        if sure and _is_known(name, world):
            return stop
    return None


def _is_known(name: str, world: World) -> bool:
    """Whether photos were taken in a place of this name, or that is called so too."""
    return place_key(name) in world.places or any(
        place_key(place.city or place.region or place.country) in world.places
        for place in world.called(name)
    )
