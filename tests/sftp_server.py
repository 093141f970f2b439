"""An SFTP server in this process, of a folder, by paramiko. It lets one key in."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko


class _Files(paramiko.SFTPServerInterface):
    """Only what reading needs; folders called "closed" may not be listed."""

    root: Path

    def _real(self, path: str) -> str:
        return f"{self.root}{self.canonicalize(path)}"

    def list_folder(self, path: str) -> Any:
        if path.rstrip("/").endswith("closed"):
            return paramiko.SFTP_PERMISSION_DENIED
        try:
            with os.scandir(self._real(path)) as entries:
                return [
                    paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                    for entry in entries
                ]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._real(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def lstat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(os.lstat(self._real(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def open(self, path: str, flags: int, attr: Any) -> Any:
        if flags & (os.O_WRONLY | os.O_RDWR):
            return paramiko.SFTP_PERMISSION_DENIED
        try:
            file = open(self._real(path), "rb")  # noqa: SIM115
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = file  # type: ignore[attr-defined]
        handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))  # type: ignore[method-assign]
        return handle


class _Doorman(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == "ada" and key == self._key
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class SftpServer:
    """`connections` are those that were made, the latest last."""

    def __init__(self, root: Path, key: paramiko.PKey) -> None:
        self._files = type("Files", (_Files,), {"root": root})
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._doorman = _Doorman(key)
        self.key = paramiko.ECDSAKey.generate()
        self.port = self._listening.getsockname()[1]
        self.connections: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def known(self) -> str:
        """The line about it for known_hosts."""
        return f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.daemon = True
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._files)
            self.connections.append(transport)
            # Without an event it would wait here for the client.
            transport.start_server(event=threading.Event(), server=self._doorman)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for transport in self.connections:
            transport.close()


@contextmanager
def sftp_server(root: Path, home: Path) -> Iterator[SftpServer]:
    """One that lets in who has `home`, where its key is known."""
    key = paramiko.ECDSAKey.generate()
    server = SftpServer(root, key)
    try:
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        key.write_private_key_file(str(home / ".ssh" / "id_ecdsa"))
        (home / ".ssh" / "known_hosts").write_text(server.known())
        yield server
    finally:
        server.close()
