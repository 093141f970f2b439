"""The files at addresses: read whole, into memory, and asked for whether they are there."""

from __future__ import annotations

import errno
import io
from typing import Any

from photosearch.elsewhere.faults import ElsewhereError
from photosearch.elsewhere.servers import elsewhere, is_web, plainly

# Bytes of one file: photos are held in memory while they are decoded.
MOST = 1 << 30
_TOO_MUCH = f"has more than {MOST >> 20} MiB, which is too much to fetch"
_PIECE = 1 << 20
# Pieces of one file that an SFTP server is asked for before the first has come.
_AHEAD = 64


def opened(address: str) -> io.BytesIO:
    """The file at an address, all of it, to be read. Raises `OSError`, also when it was cut off."""
    with plainly(address), elsewhere(address).open(address, "rb", **_how(address)) as file:
        size = _size(file)
        if size is not None and size > MOST:
            raise ElsewhereError(None, _TOO_MUCH)
        if hasattr(file, "prefetch"):
            # One piece of 32 kB after the other would take a journey to the server each.
            file.prefetch(size, _AHEAD)
        content = read(file, MOST)
    if len(content) > MOST:
        raise ElsewhereError(None, _TOO_MUCH)
    if size is not None and len(content) != size:
        raise OSError(errno.EIO, f"was cut off after {len(content)} of {size} bytes", address)
    return io.BytesIO(content)


def read(file: Any, most: int) -> bytes:
    """What is left of a file; of one with more than `most` bytes some more of it than that."""
    pieces: list[bytes] = []
    length = 0
    # Some give what has come until now, however much is asked for.
    while length <= most and (piece := file.read(_PIECE)):
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)


def is_there(address: str) -> bool:
    """Whether there is a file at an address; so it is taken to be where that cannot be told."""
    # Not fsspec's `exists`, for which nothing is there where nobody answers.
    try:
        with plainly(address):
            if is_web(address):
                elsewhere(address).open(address, "rb", **_how(address)).close()
            else:
                elsewhere(address).info(address)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _how(address: str) -> dict[str, Any]:
    # Of a web server the answer is read as it comes, which needs neither its size nor ranges.
    return {"block_size": 0, "size": 1} if is_web(address) else {"cache_type": "none"}


def _size(file: Any) -> int | None:
    """How many bytes there are in all, where that is known."""
    if hasattr(file, "stat"):
        size = file.stat().st_size
    elif (answer := getattr(file, "r", None)) is not None:
        # What was packed for the way is longer unpacked.
        packed = answer.headers.get("Content-Encoding", "identity") != "identity"
        size = None if packed else answer.headers.get("Content-Length")
    else:
        size = getattr(file, "size", None)
    return None if size is None else int(size)
