"""Object stores of which fsspec's libraries have to be told more than where they are."""

from __future__ import annotations

import logging
from typing import Any


def google(connect: float, silent: float) -> tuple[Any, dict[str, Any]]:
    """What reads gs://, and with which options."""
    import aiohttp
    from gcsfs.core import GCSFileSystem

    class Plain(GCSFileSystem):  # type: ignore[misc]
        """Not of the class that its package names, which first asks another service what kind of a
        bucket it is.
        """

        async def _call(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return await super()._call(*args, **kwargs)
            except OSError as error:
                # Of status 403 nothing else is left.
                if str(error).startswith("Forbidden: "):
                    raise PermissionError from None
                raise

    # What it logs would be on the terminal, with addresses in it.
    logging.getLogger("gcsfs").addHandler(logging.NullHandler())
    patience = aiohttp.ClientTimeout(total=None, connect=connect, sock_read=silent)
    return Plain, {"requests_timeout": patience}


def azure(connect: float, silent: float) -> tuple[Any, dict[str, Any]]:
    """What reads az://, and with which options."""
    from adlfs import AzureBlobFileSystem

    class Patient(AzureBlobFileSystem):  # type: ignore[misc]
        """Where nobody answers it would try again for minutes, at each call."""

        def do_connect(self) -> None:
            try:
                super().do_connect()
            except ValueError:
                # Nothing says which account it is.
                raise PermissionError from None
            client: Any = vars(self)["service_client"]
            self.service_client = type(client)(
                client.url,
                credential=client.credential,
                connection_timeout=connect,
                read_timeout=silent,
                retry_total=2,
                initial_backoff=1,
                increment_base=2,
            )

    return Patient, {}
