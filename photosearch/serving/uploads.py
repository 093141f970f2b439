"""How much may be sent at once, by all together.

What is sent lies on the disk of temporary files until it is answered. Who comes when that is used
up waits, without being read from, and takes its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

# Bytes of two of the largest pictures, or of some dozens of ordinary ones.
MOST = 128 << 20
# Seconds to wait for a turn, and for what is sent to be there then.
WAIT, SEND = 60.0, 60.0

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class TooMuchError(Exception):
    """Others send so much that there was no turn in time; the message says so to the user."""

    def __init__(self) -> None:
        super().__init__("Too many pictures are being sent at once. Try again in a minute.")


class Uploads:
    """A budget of bytes, for one event loop."""

    def __init__(self) -> None:
        self._left = MOST
        self._turn = asyncio.Lock()  # who came first is next
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Have `size` bytes of it meanwhile. Raises `TooMuchError`."""
        try:
            async with asyncio.timeout(WAIT), self._turn, self._changed:
                await self._changed.wait_for(lambda: self._left >= size)
                self._left -= size
        except TimeoutError:
            raise TooMuchError from None
        try:
            yield
        finally:
            self._left += size
            async with self._changed:
                self._changed.notify_all()


def limited(receive: Receive, limit: int, seconds: float | None = None) -> Receive:
    """Ends a body that is longer than `limit`, or not there after so many `seconds`."""
    left = limit
    end = None if seconds is None else asyncio.get_running_loop().time() + seconds
    whole = False

    async def limited() -> MutableMapping[str, Any]:
        nonlocal left, whole
        try:
            # Afterwards it is asked whether the other side is still there.
            async with asyncio.timeout_at(None if whole else end):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        left -= len(message.get("body", b""))
        whole = not message.get("more_body", False)
        return message if left >= 0 else {"type": "http.disconnect"}

    return limited
