"""Which addresses there are, and which are refused.

One that has a password in it is: addresses are recorded, logged with -vv, and seen by `ps`.
"""

from __future__ import annotations

import os
import re

from photosearch.elsewhere.servers import check_kind, is_flat
from photosearch.errors import UsageError

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.ASCII)
# Chained or local ones would read files of this machine, and what is in memory is of one process.
_NEVER = {"file", "local", "memory", "filecache", "simplecache", "blockcache", "reference", "dir"}


def is_address(path: str | os.PathLike[str]) -> bool:
    """As `index.paths.is_address`: what the trainer shares with the application has no index."""
    text = os.fspath(path)
    return text[:1] not in "/\\~." and _ADDRESS.match(text) is not None


def checked(address: str) -> str:
    """The address as it is recorded. Nobody is asked whether anything is there.

    Raises `UsageError` for one that cannot be read here.
    """
    scheme, _, rest = address.partition("://")
    if "::" in address or scheme in _NEVER:
        raise UsageError(f"{scheme}: is no place for photos elsewhere; name a folder, or s3://...")
    # What stands before @ has a password in it where there is a colon; keys of S3 look like that.
    before, at, _ = rest.partition("/")[0].rpartition("@")
    if at and scheme in ("az", "abfs", "abfss") and ":" not in before:
        raise UsageError(
            f"{scheme}://...@: names an account; give the container alone, as in "
            "az://container/photos, and the account as AZURE_STORAGE_ACCOUNT_NAME"
        )
    if at and (":" in before or is_flat(f"{scheme}://")):
        raise UsageError(
            f"{scheme}://...@: has a password in it, which others can see; leave it out, and give "
            "it in the environment, or in the file that programs for it read"
        )
    if "?" in rest or "#" in rest:
        raise UsageError(f"{scheme}://: has ? or # in it, as signed links have; give it without")
    if not rest.strip("/"):
        raise UsageError(f"{address}: names no place; give one such as s3://bucket/photos")
    if {".", ".."} & set(rest.split("/")):
        raise UsageError(f"{address}: has . or .. between its strokes; give it without")
    check_kind(scheme)
    return address.rstrip("/")
