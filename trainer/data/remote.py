"""Shards that lie elsewhere: read from a server, a bucket or a command, and again when that breaks.

    for url in expanded("https://example.org/{00000..01023}.tar"):
        for key, members in remote_samples(url):
            ...

http(s) is read here, and goes on in the middle after an error. `pipe:COMMAND` is the output of a
command, s3:// is `aws s3 cp`; what else webdataset can open, it opens (gs, hf, ...). Those are
begun anew and read up to where they broke.
"""

from __future__ import annotations

import http.client
import shlex
import tarfile
import time
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# What reading a shard from elsewhere raises when it fails for good.
BROKEN = (OSError, tarfile.TarError, http.client.HTTPException, EOFError)

_TRIES = 6
# Seconds before the second try; each further one waits twice as long.
_PAUSE = 1.0
_TIMEOUT = 60.0
_CHUNK = 1 << 20
# Answers that may be others in a moment.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class _CutOffError(OSError):
    """The stream ended before its end."""


def is_remote(name: str) -> bool:
    """Whether `name` is a URL or a command instead of a path."""
    return "://" in name or name.startswith("pipe:")


def expanded(url: str) -> list[str]:
    """The URLs that one with {00000..01023} or {a,b} stands for."""
    from webdataset.shardlists import expand_urls

    return list(expand_urls(url))


def remote_samples(url: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a WebDataset tar: key, and content by suffix, in file order.

    Raises `OSError` naming it when it cannot be read to its end, after several tries.
    """
    from webdataset import tariterators

    stream = Restartable(url)
    try:
        files = tariterators.tar_file_expander([{"url": url, "stream": stream}])
        for sample in tariterators.group_by_keys(files):
            key = sample["__key__"]
            members = {name: data for name, data in sample.items() if not name.startswith("__")}
            yield key, members
        # A command that cannot write its last zeros would end with an error.
        while stream.read(_CHUNK):
            pass
    except BROKEN as error:
        # webdataset adds what it was doing to the arguments.
        reason = error.args[0] if error.args else type(error).__name__
        raise OSError(f"{url}: {reason}") from None
    finally:
        stream.close()


class Restartable:
    """Reads `url` from front to back, and goes on where it broke off.

    Raises one of `BROKEN` when that fails several times in a row, or the server says no for good.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stream: _Readable | None = None
        self._position = 0
        self._end: int | None = None

    def read(self, size: int = -1) -> bytes:
        failures = 0
        while True:
            try:
                if self._stream is None:
                    self._open()
                assert self._stream is not None
                data = self._stream.read(size)
                if not data and size:
                    self._finish()
                self._position += len(data)
                return data
            except BROKEN as error:
                failures += 1
                self._drop()
                gone = False
                if isinstance(error, HTTPError):
                    gone = error.code not in _PASSING
                    error.close()  # it is the answer, too
                if gone or failures == _TRIES:
                    raise OSError(f"{error} (after {failures} tries)") from None
                time.sleep(_PAUSE * 2 ** (failures - 1))

    def close(self) -> None:
        self._drop()

    def __str__(self) -> str:
        return self._url

    def _open(self) -> None:
        if self._url.startswith(("http://", "https://")):
            self._stream, self._end, done = _open_http(self._url, self._position)
        else:
            self._stream, self._end, done = _open_other(self._url), None, 0
        while done < self._position:
            data = self._stream.read(min(_CHUNK, self._position - done))
            if not data:
                raise _CutOffError("is shorter than it was")
            done += len(data)

    def _finish(self) -> None:
        """Raise an error unless the stream ends where it should."""
        if self._end is not None and self._position < self._end:
            raise _CutOffError(f"cut off at {self._position:,} of {self._end:,} bytes")
        # A command says only now whether it went well.
        stream, self._stream = self._stream, _Ended()
        if stream is not None:
            stream.close()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except BROKEN:
                return


class _Ended:
    def read(self, size: int, /) -> bytes:
        return b""

    def close(self) -> None:
        return


def _open_http(url: str, position: int) -> tuple[Any, int | None, int]:
    """The body from `position` on, where the whole one ends, and where this one begins."""
    headers = {"Range": f"bytes={position}-"} if position else {}
    answer = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)  # noqa: S310 - the user's own
    begins = position if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
    length = answer.headers.get("Content-Length")
    return answer, None if length is None else begins + int(length), begins


def _open_other(url: str) -> Any:
    from webdataset.gopen import gopen, gopen_schemes

    if url.startswith("s3://"):
        url = f"pipe:aws s3 cp {shlex.quote(url)} -"
    scheme = url.partition(":")[0]
    if not is_remote(url):
        return open(url, "rb")
    if scheme not in gopen_schemes:
        raise ValueError(
            f"{url}: {scheme} cannot be read; there are {', '.join(sorted(gopen_schemes))}, s3, "
            "and pipe:COMMAND for all others"
        )
    return gopen(url)
