"""What answers for addresses: a store, a web server, an SFTP server, opened once in each process.

None has a password of ours. An SFTP server is only spoken to when its key is known, and a web
server sends nobody on to another one.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from photosearch.elsewhere.faults import ElsewhereError, is_away, plain
from photosearch.errors import UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Seconds until a server has to answer a call, and to send the next piece.
_CONNECT, _SILENT = 20.0, 60.0
# After so many calls in turn that nobody answered, seconds in which no more are made.
_OFTEN, _PAUSE = 3, 60.0
STILL_SILENT = "was not asked for, since nobody answers there; index again when it can be reached"
_EXTRAS = {"gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "smb": "smb"}
_opened: dict[tuple[str, str], AbstractFileSystem] = {}
_silent: dict[tuple[str, str], tuple[int, float]] = {}


def is_web(address: str) -> bool:
    return _scheme(address) in ("http", "https")


def is_flat(address: str) -> bool:
    """Whether it is in an object store, which has names with strokes and no folders."""
    return _scheme(address) in ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")


def check_kind(scheme: str) -> None:
    """Raises `UsageError` where what reads such addresses is not installed, or nothing does."""
    try:
        _kind(scheme)
    except ValueError:
        raise UsageError(
            f"{scheme}://: is no kind of address that can be read; there are s3, gs, az, sftp, "
            "smb, http and https"
        ) from None
    except ImportError as error:
        extra = _EXTRAS.get(scheme, "sources")
        raise UsageError(
            f"{scheme}://: cannot be read here ({error}); install what reads it: "
            f"pip install 'photosearch[{extra}]'"
        ) from None


def elsewhere(address: str) -> AbstractFileSystem:
    """What reads the files at an address. Raises whatever its library does; see `plainly`."""
    key = _scheme(address), _host(address)
    found = _opened.get(key)
    if found is None or not getattr(found, "is_alive", True):
        found = _opened[key] = _open(*key)
    return found


@contextmanager
def plainly(address: str) -> Iterator[None]:
    """Whatever a library raises about an address, as `OSError` without a key or a token in it.

    What was opened for it is not used again after that, but where the file alone is at fault. Where
    nobody answered several times, nobody is asked for a while: each photo would wait for that.
    """
    place = _place(address)
    times, until = _silent.get(place, (0, 0.0))
    if times >= _OFTEN and time.monotonic() < until:
        raise ElsewhereError(errno.EIO, STILL_SILENT, address)
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        told = plain(address, error)
        if told is not error and isinstance(told, ElsewhereError):
            _opened.pop((_scheme(address), _host(address)), None)
        if is_away(error):
            _silent[place] = times + 1, time.monotonic() + _PAUSE
        raise told from None
    else:
        _silent.pop(place, None)


def ask_again(address: str) -> None:
    """Ask there the next time, however often nobody has answered."""
    _silent.pop(_place(address), None)


def _place(address: str) -> tuple[str, str]:
    return _scheme(address), address.partition("://")[2].partition("/")[0]


def _scheme(address: str) -> str:
    return address.partition("://")[0]


def _host(address: str) -> str:
    """Who is asked: of stores the scheme says it, of others the host and its user."""
    scheme, _, rest = address.partition("://")
    return rest.partition("/")[0] if scheme in ("sftp", "ssh", "ftp", "smb") else ""


def _open(scheme: str, host: str) -> AbstractFileSystem:
    kind, options = _kind(scheme)
    if scheme == "smb":
        options = options | kind.options(host)
    elif host:
        options = options | kind._get_kwargs_from_urls(f"{scheme}://{host}/")
    if scheme not in ("sftp", "ssh"):
        # What was listed once must not be taken for what is there now.
        options = options | {"use_listings_cache": False}
    # fsspec would keep those that are no longer alive.
    found: AbstractFileSystem = kind(skip_instance_cache=True, **options)
    return found


@cache
def _kind(scheme: str) -> tuple[Any, dict[str, Any]]:
    """What reads such addresses, and with which options. Raises `ImportError` or `ValueError`."""
    times = {"connect": _CONNECT, "silent": _SILENT}
    # Each imports what only it needs.
    if scheme in ("sftp", "ssh"):
        from photosearch.elsewhere.sftp import KnownServer

        return KnownServer, times
    if scheme == "smb":
        from photosearch.elsewhere.shares import Shares

        return Shares, times
    if scheme in ("gs", "gcs"):
        from photosearch.elsewhere.stores import google

        return google(**times)
    if scheme in ("az", "abfs", "abfss"):
        from photosearch.elsewhere.stores import azure

        return azure(**times)
    import fsspec

    return fsspec.get_filesystem_class(scheme), (
        {"client_kwargs": _of_web()} if scheme in ("http", "https") else {}
    )


def _of_web() -> dict[str, Any]:
    import aiohttp
    from yarl import URL

    async def stay(session: Any, context: Any, asked: Any) -> None:
        """Others than the one that was named may be within reach of this machine alone."""
        answer = asked.response
        target = asked.url.join(URL(answer.headers.get("Location", "")))
        ports = (asked.url.scheme, asked.url.port), (target.scheme, target.port)
        is_same = ports[0] == ports[1] or ports == (("http", 80), ("https", 443))
        if asked.url.host != target.host or not is_same:
            answer.close()
            raise ElsewhereError(errno.EIO, "sends us on to another server, which is not followed")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(stay)
    # In all it may take as long as the file is large.
    patience = aiohttp.ClientTimeout(total=None, connect=_CONNECT, sock_read=_SILENT)
    return {"trace_configs": [tracing], "timeout": patience}
