"""Pictures that were put into the search box."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterable

from starlette.requests import ClientDisconnect

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

    async def take(self, pieces: AsyncIterable[bytes], name: str) -> str:
        """Decode a picture, in a process of its own, and keep it; its name.

        Until then it lies on the disk. Raises `UsageError` when it is none.
        """
        suffix = os.path.splitext(name)[1].lower()
        with tempfile.TemporaryDirectory(prefix="photosearch-") as folder:
            path = os.path.join(folder, f"query{suffix if _SUFFIX.fullmatch(suffix) else ''}")
            if not await _write(pieces, path):
                raise UsageError("the picture is empty; choose another")
            try:
                small = (await asyncio.wrap_future(self._shrinkers.shrink(path, _SIDE))).data
            except ShrinkError as error:
                raise UsageError(f"this picture {error}; choose another") from error
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


async def _write(pieces: AsyncIterable[bytes], path: str) -> int:
    """How many bytes were written. Raises `UsageError`."""
    written = 0
    try:
        with open(path, "xb", buffering=0) as file:
            async for piece in pieces:
                written += await asyncio.to_thread(file.write, piece)
    except OSError as error:
        raise UsageError(
            f"the picture cannot be kept meanwhile ({error.strerror}); make room in "
            f"{tempfile.gettempdir()}"
        ) from error
    except ClientDisconnect:
        raise UsageError("the picture did not arrive whole; put it in again") from None
    return written
