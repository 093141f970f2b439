"""Pictures that were put into the search box."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from collections import OrderedDict

from photosearch.errors import UsageError
from photosearch.serving.shrinking import ShrinkError, Shrinkers

# Pixels of the longest side: more than any model looks at.
_SIDE = 512
_KEPT = 32
_SUFFIX = re.compile(r"\.[a-z0-9]{2,4}")


class Pictures:
    """The latest pictures that were sent as queries, small, each by a random name."""

    def __init__(self, shrinkers: Shrinkers) -> None:
        self._shrinkers = shrinkers
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def take(self, data: bytes, name: str) -> str:
        """Decode a picture, in a process of its own, and keep it; its name.

        Raises `UsageError` when it is none.
        """
        if not data:
            raise UsageError("the picture is empty; choose another")
        suffix = os.path.splitext(name)[1].lower()
        small = await asyncio.to_thread(
            self._shrink, data, suffix if _SUFFIX.fullmatch(suffix) else ""
        )
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
