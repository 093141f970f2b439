"""SFTP servers, which are only spoken to when their key is known."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from photosearch.elsewhere.faults import ElsewhereError


class _Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        raise ElsewhereError(
            errno.EIO,
            "its key is not known here; connect to it once with ssh, which records the key in "
            "~/.ssh/known_hosts",
            hostname,
        )


class KnownServer(SFTPFileSystem):  # type: ignore[misc]
    """Of fsspec's it differs in that it takes no key that nobody has recorded."""

    def __init__(self, host: str, *, connect: float, silent: float, **kwargs: Any) -> None:
        self._times = connect, silent
        super().__init__(host, **kwargs)

    def _connect(self) -> None:
        connect, silent = self._times
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        everybodys = Path("/etc/ssh/ssh_known_hosts")
        if everybodys.is_file():
            self.client.load_system_host_keys(os.fspath(everybodys))
        self.client.set_missing_host_key_policy(_Refuse())
        times = {"timeout": connect, "banner_timeout": connect, "auth_timeout": connect}
        try:
            self.client.connect(self.host, **times, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
        except paramiko.BadHostKeyException:
            self.client.close()
            raise ElsewhereError(
                errno.EIO,
                "has another key than ~/.ssh/known_hosts says; somebody may stand between",
            ) from None
        except BaseException as error:
            self.client.close()
            # Without any key it is no error of its own.
            if not isinstance(error, paramiko.AuthenticationException) and (
                "No authentication methods" not in str(error)
            ):
                raise
            raise ElsewhereError(
                errno.EIO, "lets nobody in with the keys of ~/.ssh and of the SSH agent"
            ) from None
        self.ftp.get_channel().settimeout(silent)

    @property
    def is_alive(self) -> bool:
        transport = self.client.get_transport()
        return transport is not None and bool(transport.is_active())

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        # fsspec takes what stands behind a question mark for none of the name.
        _, is_whole, rest = path.partition("://")
        return "/" + rest.partition("/")[2] if is_whole else path
