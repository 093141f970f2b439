"""What answers for addresses: a store, a web server, an SFTP server, opened once in each process.

None has a password of ours. An SFTP server is only spoken to when its key is known, and a web
server sends nobody on to another one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosearch.errors import UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Seconds until a server has to answer a call, and to send the next piece.
_CONNECT, _SILENT = 20.0, 60.0
_opened: dict[tuple[str, str], AbstractFileSystem] = {}


class ElsewhereError(OSError):
    """What is wrong with an address, in words of our own: no secret is in them."""


def is_web(address: str) -> bool:
    return _scheme(address) in ("http", "https")


def is_flat(address: str) -> bool:
    """Whether it is in an object store, which has names with strokes and no folders."""
    return _scheme(address) in ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")


def check_kind(scheme: str) -> None:
    """Raises `UsageError` where what reads such addresses is not installed."""
    try:
        _kind(scheme)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{scheme}://: cannot be read here ({error}); install what reads it: "
            "pip install 'photosearch[sources]' for s3 and sftp, gcsfs for gs, adlfs for az, "
            "smbprotocol for smb"
        ) from None


def elsewhere(address: str) -> AbstractFileSystem:
    """What reads the files at an address. Raises whatever its library does; see `plainly`."""
    key = _scheme(address), _host(address)
    found = _opened.get(key)
    if found is None or not _is_alive(found):
        found = _opened[key] = _open(*key)
    return found


@contextmanager
def plainly(address: str) -> Iterator[None]:
    """Whatever a library raises about an address, as `OSError` without a key or a token in it.

    What was opened for it is not used again after that, but where the file alone is at fault.
    """
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "is not there", address) from None
    except PermissionError:
        raise PermissionError(errno.EACCES, "may not be read", address) from None
    except (ElsewhereError, MemoryError):
        raise
    except Exception as error:
        _opened.pop((_scheme(address), _host(address)), None)
        # With a number it is a fault of the network, which may be over the next time.
        raise ElsewhereError(errno.EIO, f"cannot be fetched ({_told(error)})", address) from None


def _told(error: Exception) -> str:
    # Messages of those libraries may have signed links in them; of a kind alone nothing is told.
    return type(error).__name__


def _scheme(address: str) -> str:
    return address.partition("://")[0]


def _host(address: str) -> str:
    """Who is asked: of stores the scheme says it, of others the host and its user."""
    scheme, _, rest = address.partition("://")
    return rest.partition("/")[0] if scheme in ("sftp", "ssh", "ftp", "smb") else ""


def _open(scheme: str, host: str) -> AbstractFileSystem:
    kind = _kind(scheme)
    options: dict[str, Any] = kind._get_kwargs_from_urls(f"{scheme}://{host}/") if host else {}
    if scheme in ("http", "https"):
        options["client_kwargs"] = _of_web()
    if scheme not in ("sftp", "ssh"):
        # What was listed once must not be taken for what is there now.
        options["use_listings_cache"] = False
    # fsspec would keep those that are no longer alive.
    found: AbstractFileSystem = kind(skip_instance_cache=True, **options)
    return found


@cache
def _kind(scheme: str) -> Any:
    """Raises `ImportError` or `ValueError`."""
    import fsspec

    kind = fsspec.get_filesystem_class(scheme)
    return _sftp() if scheme in ("sftp", "ssh") else kind


def _is_alive(files: AbstractFileSystem) -> bool:
    client: Any = getattr(files, "client", None)
    if not hasattr(client, "get_transport"):
        return True
    transport = client.get_transport()
    return transport is not None and bool(transport.is_active())


def _sftp() -> Any:
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise ElsewhereError(
                errno.EIO,
                "its key is not known here; connect to it once with ssh, which records the key in "
                "~/.ssh/known_hosts",
                hostname,
            )

    class Known(SFTPFileSystem):  # type: ignore[misc]
        """Of fsspec's it differs in that it takes no key that nobody has recorded."""

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            everybodys = Path("/etc/ssh/ssh_known_hosts")
            if everybodys.is_file():
                self.client.load_system_host_keys(os.fspath(everybodys))
            self.client.set_missing_host_key_policy(Refuse())
            times = {"timeout": _CONNECT, "banner_timeout": _CONNECT, "auth_timeout": _CONNECT}
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
            self.ftp.get_channel().settimeout(_SILENT)

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            # fsspec takes what stands behind a question mark for none of the name.
            _, is_whole, rest = path.partition("://")
            return "/" + rest.partition("/")[2] if is_whole else path

    return Known


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
