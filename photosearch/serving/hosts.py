"""Which names and addresses are this machine's, for servers that must not answer for others."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OwnHosts:
    """What a request's Host may be, against DNS rebinding.

    `local` tells that only this machine can connect. Where others may, any address will do, for an
    address cannot be rebound; of names only `names` and localhost.
    """

    def __init__(self, names: Iterable[str], *, local: bool) -> None:
        self._names = {"localhost", *(name.lower() for name in names)}
        self._local = local

    def __contains__(self, host: object) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name.lower() in self._names
        return address.is_loopback or not self._local


def open_port(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine. Raises `OSError`."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    opened = socket.create_server((host, port), family=family)
    # asyncio turns Nagle's algorithm off only where the protocol is named, and with it the end of
    # an answer waits until its beginning is confirmed, which browsers put off for 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, opened.detach())
