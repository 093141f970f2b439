"""Photos that are not in a folder but at an address: s3://bucket/photos, sftp://host/photos.

They are listed and read by fsspec, and nothing is ever written there. Who may read is said by what
fsspec's own libraries read: variables of the environment, files in the home folder. An address that
has a password in it is refused, since addresses are recorded, logged with -vv, and seen by `ps`.
"""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from photosearch.errors import UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# A letter alone would be a drive of Windows.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.ASCII)
# Chained or local ones would read files of this machine, and what is in memory is of one process.
_NEVER = {"file", "local", "memory", "filecache", "simplecache", "blockcache", "reference", "dir"}
# Bytes of one file: photos are held in memory while they are decoded.
MOST = 1 << 30
# What libraries call the time of change.
_TIMES = ("LastModified", "last_modified", "mtime", "updated")
_SECOND = 1_000_000_000


def is_address(path: str | os.PathLike[str]) -> bool:
    # Most paths begin with a stroke, which is quicker to see.
    text = os.fspath(path)
    return text[:1] not in "/\\~." and _ADDRESS.match(text) is not None


def checked(address: str) -> str:
    """The address as it is recorded. Raises `UsageError` for one that cannot be read here."""
    scheme, _, rest = address.partition("://")
    if "::" in address or scheme in _NEVER:
        raise UsageError(f"{scheme}: is no place for photos elsewhere; name a folder, or s3://...")
    # What stands before @ has a password in it where there is a colon; keys of S3 look like that.
    before, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (":" in before or scheme in ("s3", "s3a", "gs", "gcs", "az", "abfs")):
        raise UsageError(
            f"{scheme}://...@: has a password in it, which others can see; leave it out, and give "
            "it in the environment, or in the file that programs for it read"
        )
    if "?" in rest or "#" in rest:
        raise UsageError(f"{scheme}://: has ? or # in it, as signed links have; give it without")
    if not rest.strip("/"):
        raise UsageError(f"{address}: names no place; give one such as s3://bucket/photos")
    _system(scheme, _host(address))
    return address.rstrip("/")


def opened(address: str) -> io.BytesIO:
    """The file at an address, all of it, to be read. Raises `OSError`."""
    files = _files(address)
    with _plainly(address), files.open(address, "rb", cache_type="none") as file:
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise OSError(None, f"has more than {MOST >> 20} MiB, which is too much to fetch")
    return io.BytesIO(content)


def is_there(address: str) -> bool:
    """Whether there is a file at an address; so it is taken to be where that cannot be told."""
    try:
        with _plainly(address):
            return bool(_files(address).exists(address))
    except OSError:
        return True


def listed(address: str) -> Iterator[tuple[str, int, int]]:
    """The files below an address, or at it, in order: address, bytes, and nanoseconds of change.

    These have in their fractions what the file's ETag says, where there is one, so that either
    tells of a change. Raises `OSError`.
    """
    files = _files(address)
    # Names come as the system of files has them: without a scheme, or also without the host.
    top = files._strip_protocol(address).rstrip("/")
    with _plainly(address):
        found = files.find(address, detail=True)
        for name in sorted(found):
            told = found[name]
            if told.get("size") is None:
                told = files.info(name)
            path = address + name.removeprefix(top)
            yield path, int(told.get("size") or 0), _time(told)


def _time(told: dict[str, Any]) -> int:
    when = next((told[name] for name in _TIMES if told.get(name)), None)
    seconds = 0.0
    if isinstance(when, datetime):
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    elif isinstance(when, (int, float)):
        seconds = float(when)
    elif isinstance(when, str):
        try:
            from email.utils import parsedate_to_datetime

            seconds = parsedate_to_datetime(when).timestamp()
        except ValueError:
            seconds = datetime.fromisoformat(when).timestamp()
    tag = told.get("ETag") or told.get("etag")
    if tag is None:
        return int(seconds * _SECOND)
    import hashlib

    digest = hashlib.blake2s(str(tag).encode(), digest_size=8).digest()
    return int(seconds) * _SECOND + int.from_bytes(digest, "big") % _SECOND


def _files(address: str) -> AbstractFileSystem:
    return _system(address.partition("://")[0], _host(address))


def _host(address: str) -> str:
    """Who is asked: of stores the scheme says it, of others the host and its user."""
    scheme, _, rest = address.partition("://")
    return rest.partition("/")[0] if scheme in ("sftp", "ssh", "ftp", "smb") else ""


@cache
def _system(scheme: str, host: str) -> AbstractFileSystem:
    """Raises `UsageError` where what it needs is not installed."""
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(scheme)
        options = kind._get_kwargs_from_urls(f"{scheme}://{host}/") if host else {}
        # What was listed once must not be taken for what is there now.
        found: AbstractFileSystem = fsspec.filesystem(scheme, use_listings_cache=False, **options)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{scheme}://: cannot be read here ({error}); install what reads it: "
            "pip install 'photosearch[sources]' for s3 and sftp, gcsfs for gs, adlfs for az, "
            "smbprotocol for smb"
        ) from None
    except Exception as error:
        raise UsageError(f"{scheme}://{host}: cannot be reached ({_told(error)})") from None
    return found


@contextmanager
def _plainly(address: str) -> Iterator[None]:
    """Whatever a library raises about an address, as `OSError` without a key or a token in it."""
    try:
        yield
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        # With a number it is a fault of the network, which may be over the next time.
        raise OSError(errno.EIO, f"cannot be fetched ({_told(error)})", address) from None


def _told(error: Exception) -> str:
    # Messages of those libraries may have signed links in them; of a kind alone nothing is told.
    return type(error).__name__
