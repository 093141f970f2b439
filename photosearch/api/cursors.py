"""Where the next page begins, as a client sends it back: behind photos, not at a number.

A cursor is of one search: it holds a hash of what was asked. The server keeps nothing for it, so
any of several servers answers it, and it does not age.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from typing import Any

from photosearch.errors import UsageError
from photosearch.search.hits import Hits

# Photos that a page may go on behind: where all of these are gone, it goes by their number.
_LAST = 8
_HASH = 8
# Not where a page begins, nor how long it is.
_PLACE = ("limit", "offset")


class CursorError(UsageError):
    """A cursor that is none of this search."""

    def __init__(self) -> None:
        super().__init__(
            "cursor: is none of this search; send what the answer before gave as `next`, "
            "with the other parameters as they were"
        )


def cursor_after(hits: Hits, asked: dict[str, Any]) -> str | None:
    """Where the page after `hits` begins, which were `asked` for so; None behind the last one."""
    if not hits.more or not hits:
        return None
    last = [hit.photo_id for hit in reversed(hits[-_LAST:])]
    packed = struct.pack(f"<{len(last) + 1}q", hits.offset + len(hits), *last)
    return base64.urlsafe_b64encode(_hash(asked) + packed).decode().rstrip("=")


def place_of(cursor: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Where a page begins, as `Library.search` takes it. Raises `CursorError`."""
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        count, odd = divmod(len(packed) - _HASH, 8)
        if packed[:_HASH] != _hash(asked) or odd or not 2 <= count <= _LAST + 1:
            raise CursorError
        offset, *after = struct.unpack(f"<{count}q", packed[_HASH:])
    except (binascii.Error, ValueError):
        raise CursorError from None
    if offset < 0:
        raise CursorError
    return {"offset": offset, "after": tuple(after)}


def _hash(asked: dict[str, Any]) -> bytes:
    told = {name: value for name, value in asked.items() if name not in _PLACE}
    if "images" in told:
        told["images"] = [hashlib.blake2s(each).hexdigest() for each in told["images"]]
    return hashlib.blake2s(
        json.dumps(told, default=repr, sort_keys=True).encode("ascii"), digest_size=_HASH
    ).digest()
