"""Pictures that were put into the search box, and what to search for as an example."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.ui.context import Context
from photosearch.ui.desk import Desk
from photosearch.ui.shrinking import ShrinkError, Shrinkers

# Pixels of the longest side: more than any model looks at.
_SIDE = 512
_KEPT = 32
_SUFFIX = re.compile(r"\.[a-z0-9]{2,4}")


class Pictures:
    """The latest pictures that were sent as queries, small, each by a random name."""

    def __init__(self, shrinkers: Shrinkers) -> None:
        self._shrinkers = shrinkers
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def take(self, context: Context, data: bytes, name: str) -> str:
        """Decode a picture, in a process of its own, and keep it; its name.

        Raises `UsageError` when it is none.
        """
        if not data:
            raise UsageError("the picture is empty; choose another")
        suffix = os.path.splitext(name)[1].lower()
        small = await context.hands(self._shrink, data, suffix if _SUFFIX.fullmatch(suffix) else "")
        key = secrets.token_urlsafe(12)
        self._kept[key] = small
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return key

    def get(self, key: str) -> bytes:
        """The picture of this name. Raises `UsageError` when it is not kept any more."""
        if key not in self._kept:
            raise UsageError("the picture is not kept any more; put it in again")
        self._kept.move_to_end(key)
        return self._kept[key]

    def _shrink(self, data: bytes, suffix: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="photosearch-") as folder:
            path = os.path.join(folder, f"query{suffix}")
            with open(path, "wb") as file:
                file.write(data)
            try:
                return self._shrinkers.shrink(path, _SIDE).result().data
            except ShrinkError as error:
                raise UsageError(f"this picture {error}; choose another") from error


# What family photos often show. Which of them this library holds is found out.
_PHRASES = tuple(
    """a cat;a dog;a sunset over the sea;children playing;a birthday cake;snow in the mountains;
a beach;a flower;food on a table;a cup of coffee;a bicycle;a car;a train;a bus;a motorcycle;a boat;
a horse;a bird;a lion;a wild animal;a forest in autumn;fireworks;a wedding;a Christmas tree;
a city at night;a church;a castle;a bridge;a garden;a waterfall;a lake;people dancing;a baby;
a group of people;a person smiling;a page of text;a temple;a tower;a rocket launch;the moon;
an astronaut;coins;a football match;swimming;skiing;a camera;a market;a museum""".replace(
        "\n", ""
    ).split(";")
)
_SAMPLE = 400


class Examples:
    """Searches that this library answers well; found once for each state of it."""

    def __init__(self, finder: Desk, clerk: Desk) -> None:
        self._finder, self._clerk = finder, clerk
        self._found: tuple[object, list[str]] | None = None

    async def best(self, count: int) -> list[str]:
        """Up to `count` texts, each of which finds another photo, best first; then places."""
        status = await self._clerk.ask(Library.status)
        state = (status.model, status.encoded, status.missing)
        if status.photos == 0:
            return []
        if self._found is None or self._found[0] != state:
            self._found = (state, await self._find())
        return self._found[1][:count]

    async def _find(self) -> list[str]:
        scored: list[tuple[float, int, str]] = []
        for phrase in _PHRASES:
            # One by one, so that somebody who types need not wait for all.
            scored.append(await self._finder.ask(partial(_clearness, text=phrase)))
        chosen: list[str] = []
        photos: set[int] = set()
        for clearness, photo, phrase in sorted(scored, reverse=True):
            if clearness > 0 and photo not in photos:
                photos.add(photo)
                chosen.append(phrase)
        places = await self._clerk.ask(_places)
        return [*chosen[:4], *places[:2], *chosen[4:]]


def _clearness(library: Library, text: str) -> tuple[float, int, str]:
    """How far the best photo stands out from the others, and which it is."""
    if not library.search(text, limit=1, literal=True):
        return (0.0, 0, text)
    hits = library.search(text, limit=_SAMPLE, literal=True, everything=True)
    scores: Sequence[float] = [hit.score or 0.0 for hit in hits]
    if len(scores) < 2:
        return (0.0, 0, text)
    rest = scores[1:]
    mean = sum(rest) / len(rest)
    spread = (sum((score - mean) ** 2 for score in rest) / len(rest)) ** 0.5
    return ((scores[0] - mean) / (spread + 0.01), hits[0].photo_id, text)


def _places(library: Library) -> list[str]:
    import json

    with library.shelves() as shelves:
        keys = [one.key for one in shelves.groups("place") if one.key]
    cities = [json.loads(key)["city"] for key in keys]
    return [f"in {city}" for city in cities if city]
