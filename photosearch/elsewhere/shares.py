"""Shares of Windows and Samba servers.

fsspec's own file system opens files so that nobody else can meanwhile, asks of each name in a
folder by itself, and has one connection to a host whoever the user is. So only its interface is
taken, and smbclient does the rest.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from stat import S_ISDIR
from typing import Any, BinaryIO

import smbclient
from fsspec import AbstractFileSystem
from fsspec.utils import infer_storage_options
from smbprotocol.exceptions import (
    NtStatus,
    SMBConnectionClosed,
    SMBException,
    SMBOSError,
    SMBResponseException,
)

from photosearch.elsewhere.faults import ElsewhereError

# Others may read, write and delete a file while it is read here.
_SHARED = "rwd"
_IN_USE = "is in use by another program there; index it again when that is done"


class Shares(AbstractFileSystem):  # type: ignore[misc]
    """The shares of one server, as one user. Nothing but reading is there."""

    def __init__(
        self,
        host: str,
        port: int = 445,
        username: str | None = None,
        *,
        connect: float,
        silent: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._host = host
        self._how: dict[str, Any] = {"port": port, "username": username, "connection_cache": {}}
        # Referrals lead to other servers.
        smbclient.ClientConfig(skip_dfs=True)
        # Read when a connection is made: it is tried that long, twice, and then taken for dead.
        os.environ.setdefault("SMB_EXPERIMENTAL_TRANSPORT_RECEIVE_TIMEOUT", str(int(silent / 2)))
        try:
            smbclient.register_session(host, connection_timeout=int(connect), **self._how)
        except ValueError as error:
            # So it has it where nobody answers; why is told in its text alone.
            raise ConnectionError(str(error)) from None

    @classmethod
    def options(cls, host: str) -> dict[str, Any]:
        """What is said of a server in an address, with a user and a port or without."""
        said = infer_storage_options(f"smb://{host}/")
        return {key: said[key] for key in ("host", "port", "username") if said.get(key)}

    @property
    def is_alive(self) -> bool:
        connections = self._how["connection_cache"].values()
        return any(each.transport.connected for each in connections)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        _, is_whole, rest = path.partition("://")
        return "/" + rest.partition("/")[2] if is_whole else path

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        with _plainly():
            told = smbclient.stat(self._unc(path), **self._how)
        kind = "directory" if S_ISDIR(told.st_mode) else "file"
        # To the microsecond, as a folder tells it.
        when = told.st_mtime_ns // 1000 / 1e6
        return {"name": path, "type": kind, "size": told.st_size, "mtime": when}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        with _plainly(), smbclient.scandir(self._unc(path), **self._how) as entries:
            found = [_told(path, entry) for entry in entries]
        return found if detail else [each["name"] for each in found]

    def open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        with _plainly():
            file: BinaryIO = smbclient.open_file(
                self._unc(path), mode, share_access=_SHARED, **self._how
            )
        return file

    def _unc(self, path: str) -> str:
        return f"\\\\{self._host}" + self._strip_protocol(path).rstrip("/").replace("/", "\\")


def _told(folder: str, entry: Any) -> dict[str, Any]:
    told = entry.smb_info
    kind = "directory" if entry.is_dir(follow_symlinks=False) else "file"
    if entry.is_symlink():
        kind = "link"
    return {
        "name": f"{folder.rstrip('/')}/{entry.name}",
        "type": kind,
        "size": told.end_of_file,
        "mtime": told.last_write_time.replace(tzinfo=UTC).timestamp(),
    }


@contextmanager
def _plainly() -> Iterator[None]:
    """Its errors of files are none of Python's kinds, by which others know what happened."""
    try:
        yield
    except SMBOSError as error:
        raise _of_status(error, error.ntstatus) from None
    except SMBResponseException as error:
        raise _of_status(error, error.status) from None
    except SMBConnectionClosed:
        raise
    except SMBException as error:
        # What it says when a connection breaks off has no kind of its own.
        raise ConnectionError(str(error)) from None


def _of_status(error: Exception, status: int) -> Exception:
    if status == NtStatus.STATUS_ACCESS_DENIED:
        return PermissionError(errno.EACCES, "may not be read")
    if status == NtStatus.STATUS_SHARING_VIOLATION:
        return ElsewhereError(errno.EIO, _IN_USE)
    is_gone = status in (NtStatus.STATUS_BAD_NETWORK_NAME, NtStatus.STATUS_NO_SUCH_FILE)
    if is_gone or getattr(error, "errno", None) in (errno.ENOENT, errno.ENOTDIR):
        return FileNotFoundError(errno.ENOENT, "is not there")
    return error
