"""What went wrong at an address, in words of our own.

Messages of the libraries may have signed links or keys in them; only the kind of an error is told.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

# Where each library looks for who may read, by its documents.
_WHO = {
    "s3": "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
    "az": "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with "
    "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
    "smb": "the user in the address, and the file that NTLM_USER_FILE names",
}
_ALSO = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}

# Numbers of a network that is not there, or of a connection that another thread found closed.
# Python has no kinds of errors for them.
_NO_WAY = {
    errno.EBADF, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH,
    errno.ENOTCONN,
}  # fmt: skip
# Kinds of errors, each by its own name or that of a class that it is of.
_NOBODY = {
    "AsyncTimeoutError", "ClientConnectionError", "ConnectionClosedError",
    "EndpointConnectionError", "NoValidConnectionsError", "ServerTimeoutError",
    "ServiceRequestError", "ServiceResponseError", "SMBConnectionClosed",
}  # fmt: skip
_REFUSED = {
    "ClientAuthenticationError", "GoogleAuthError", "LogonFailure", "NoCredentialsError",
    "PartialCredentialsError", "ProfileNotFound", "SMBAuthenticationError", "AccessDenied",
}  # fmt: skip


class ElsewhereError(OSError):
    """What is wrong with an address, in words of our own: no secret is in them."""


def is_away(error: BaseException) -> bool:
    """Whether nobody answered, which goes for all else at the same place."""
    return any(_is_silence(each) for each in _causes(error))


def plain(address: str, error: Exception) -> OSError:
    """Whatever a library raised about an address, as it is told."""
    if isinstance(error, ElsewhereError):
        return error
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == errno.ENOENT:
        return FileNotFoundError(errno.ENOENT, "is not there", address)
    kind = type(error).__name__
    who = _who(address.partition("://")[0])
    if any(_is_refusal(each) for each in _causes(error)):
        told = "may not be read" + (f" ({kind})" if kind != "PermissionError" else "")
        if who is not None:
            told += f"; check {who}"
        return PermissionError(errno.EACCES, told, address)
    # With a number it is a fault of the network, which may be over the next time.
    if is_away(error):
        told = f"cannot be fetched ({kind}); check that it can be reached, and index again"
        return ElsewhereError(errno.EIO, told, address)
    return ElsewhereError(errno.EIO, f"cannot be fetched ({kind}); index again later", address)


def _who(scheme: str) -> str | None:
    return _WHO.get(_ALSO.get(scheme, scheme))


def _is_silence(error: BaseException) -> bool:
    return (
        isinstance(error, ConnectionError | TimeoutError | socket.gaierror)
        or (isinstance(error, OSError) and error.errno in _NO_WAY)
        or _is_of(error, _NOBODY)
    )


def _is_refusal(error: BaseException) -> bool:
    status = getattr(error, "status_code", None) or getattr(error, "status", None)
    return (
        isinstance(error, PermissionError)
        or status in (401, 403)
        # By gcsfs as a text.
        or str(getattr(error, "code", "")) in ("401", "403")
        or _is_of(error, _REFUSED)
    )


def _is_of(error: BaseException, kinds: set[str]) -> bool:
    return any(each.__name__ in kinds for each in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    # There may be no end to them.
    for _ in range(8):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__
