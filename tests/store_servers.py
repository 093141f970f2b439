"""Servers with photos that run here: Google's and Azure's stores, as emulators have them, and a
share of files. Each is reached by way of a door, which can be shut.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

# Azurite's own, which is in its documents.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass
class Place:
    """Where photos are: below `address`, put there and taken away by name; `env` says who may."""

    address: str
    env: dict[str, str]
    put: Callable[[str, bytes], None]
    delete: Callable[[str], None]
    door: Door


class Door:
    """A port of this machine that leads to another one, as long as it is open."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._is_open = True
        self._through: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._receive, daemon=True).start()

    def shut(self) -> None:
        self._is_open = False
        for each in self._through:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._through.clear()

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self.shut()
        self._listening.close()

    def _receive(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if not self._is_open:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._through += [near, far]
            threading.Thread(target=_carry, args=(near, far), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with one, other, contextlib.suppress(OSError, ValueError):
        while True:
            ready, _, _ = select.select([one, other], [], [])
            for each in ready:
                content = each.recv(1 << 16)
                if not content:
                    return
                (other if each is one else one).sendall(content)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def google() -> Iterator[Place]:
    from gcp_storage_emulator.server import create_server
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    logging.getLogger("gcp_storage_emulator").setLevel(logging.ERROR)
    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket="archive")
    server.start()
    door = Door(port)
    try:
        client = storage.Client(
            "test",
            AnonymousCredentials(),
            client_options={"api_endpoint": f"http://127.0.0.1:{port}"},
        )
        bucket = client.bucket("archive")
        yield Place(
            "gs://archive/photos",
            {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{door.port}"},
            lambda name, content: bucket.blob(f"photos/{name}").upload_from_string(content),
            lambda name: bucket.blob(f"photos/{name}").delete(),
            door,
        )
        client.close()
    finally:
        door.close()
        server.stop()


@contextmanager
def azure(azurite: str, folder: Path) -> Iterator[Place]:
    from azure.storage.blob import ContainerClient

    port = free_port()
    command = [
        azurite, "--silent", "--skipApiVersionCheck", "--inMemoryPersistence",
        "--disableTelemetry", "--blobPort", str(port),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _wait_for(port)
        door = Door(port)
        try:
            client = ContainerClient.from_connection_string(connection(port), "archive")
            with closing(client):
                client.create_container()
                yield Place(
                    "az://archive/photos",
                    {"AZURE_STORAGE_CONNECTION_STRING": connection(door.port)},
                    lambda name, content: _replace(client, f"photos/{name}", content),
                    lambda name: client.delete_blob(f"photos/{name}"),
                    door,
                )
        finally:
            door.close()
            process.terminate()


def connection(port: int, key: str = KEY) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
        f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )


def _replace(client: object, name: str, content: bytes) -> None:
    client.upload_blob(name, content, overwrite=True)  # type: ignore[attr-defined]


@contextmanager
def share(folder: Path) -> Iterator[Place]:
    """A share of files, by impacket, with one user."""
    port = free_port()
    shared = folder / "volume"
    (shared / "photos").mkdir(parents=True)
    process = multiprocessing.get_context("spawn").Process(
        target=_serve_files, args=(port, os.fspath(shared)), daemon=True
    )
    process.start()
    _wait_for(port)
    door = Door(port)
    users = folder / "users"
    users.write_text(":ada:a-word\n")

    def put(name: str, content: bytes) -> None:
        (shared / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (shared / "photos" / name).write_bytes(content)

    try:
        yield Place(
            f"smb://ada@127.0.0.1:{door.port}/volume/photos",
            {"NTLM_USER_FILE": os.fspath(users)},
            put,
            lambda name: (shared / "photos" / name).unlink(),
            door,
        )
    finally:
        door.close()
        process.terminate()
        process.join()
        shutil.rmtree(shared)


def _serve_files(port: int, folder: str) -> None:
    from impacket.ntlm import compute_lmhash, compute_nthash
    from impacket.smbserver import SimpleSMBServer

    logging.disable()
    server = SimpleSMBServer("127.0.0.1", port)
    server.addShare("VOLUME", folder, readOnly="yes")
    server.setSMB2Support(True)
    server.addCredential("ada", 0, compute_lmhash("a-word"), compute_nthash("a-word"))
    server.setLogFile("")
    server.start()


def _wait_for(port: int) -> None:
    """Until somebody answers there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody answers at port {port}")
