"""Where a shared archive is: an address, and the folder in which a machine keeps its copy.

The folder is called as the archive is, so that whoever is handed the folder knows the archive.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

_SCHEME = "postgresql"
_START = quote(f"{_SCHEME}://", safe="")
# File systems take names of 255 bytes.
_LONGEST = 240


def checked(address: str) -> str:
    """The address as it is kept. Raises `ValueError`, which says what is wrong without showing it.

    It is libpq's: postgresql://[USER@][HOST[:PORT]]/NAME, and settings such as ?sslmode=require.
    """
    try:
        parts = urlsplit(address)
        if parts.scheme not in (_SCHEME, "postgres"):
            raise ValueError
        secret = parts.password is not None or "password" in parse_qs(parts.query)
        name, _ = parts.path.strip("/"), parts.port
    except ValueError:
        raise ValueError("must be an address such as postgresql://HOST/NAME") from None
    if secret:
        raise ValueError(
            "must not hold a password, which others could read: put that into ~/.pgpass or the "
            "environment variable PGPASSWORD"
        )
    if not name or "/" in name:
        raise ValueError("must name a database, as in postgresql://HOST/NAME")
    kept = f"{_SCHEME}{address[len(parts.scheme) :]}"
    if len(quote(kept, safe="")) > _LONGEST:
        raise ValueError(f"must be shorter: its folder's name has {_LONGEST} characters at most")
    return kept


def folder_of(address: str, folders: Path) -> Path:
    """The folder, among `folders` of archives, for the copy of the one at an address.

    Raises `ValueError` as `checked` does.
    """
    return folders / quote(checked(address), safe="")


def address_of(folder: Path) -> str | None:
    """The address of the archive of which this is the folder; None for a library in a folder."""
    return unquote(folder.name) if folder.name.startswith(_START) else None


def called(folder: Path) -> str:
    """What users call the library in a folder: by its address, or by the folder."""
    return address_of(folder) or str(folder)
