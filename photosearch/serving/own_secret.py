"""The secret by which a server on this machine knows the owner of its library from other users.

It is kept in the library's folder, so that a page that is open, and programs, go on after the
server was started anew.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from index.safety.whole import write_whole

# The files of the page's and of the API's.
PAGE, API = "page.key", "api.token"
_OPENED = "page.html"
_LEAST = 32
_YEAR = 365 * 24 * 3600
_REFRESH = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={link}">
<title>photosearch</title>
"""


def own_secret(folder: Path, name: str, *, keep: bool = True) -> str:
    """The secret in the file `name` of a library's folder; made anew where others can read it.

    One that is new is kept there, unless not to `keep`.
    """
    path = folder / name
    try:
        status = path.lstat()
        if os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077):
            kept = path.read_text(encoding="ascii").strip()
            if len(kept) >= _LEAST:
                return kept
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    except OSError:
        # It cannot be read just now: pages are open by it, and programs know it.
        keep = False
    secret = secrets.token_urlsafe(_LEAST)
    # On a full or read-only disk it lasts until the server ends.
    if keep:
        with suppress(OSError):
            write_whole(path, f"{secret}\n".encode())
    return secret


def page_with(link: str, folder: Path) -> str | None:
    """The address of a file that leads to `link`; None where it cannot be written.

    It is in the library's `folder`, or else in one for temporary files. What a browser is started
    with is seen by all users of the machine, and this names no secret.
    """
    text = _REFRESH.format(link=html.escape(link))
    with suppress(OSError):
        return _written(folder / _OPENED, text)
    with suppress(OSError):
        return _written(Path(tempfile.mkdtemp(prefix="photosearch-")) / _OPENED, text)
    return None


def _written(path: Path, text: str) -> str:
    write_whole(path, text.encode())
    return path.absolute().as_uri()


class OwnerKey:
    """Who opened the link with the `secret` in it, in the place of `Sessions`; it has no end."""

    lasting = True

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._session = self._derived("session")
        # Cookies are those of a host, whatever the port: each library has its own.
        self.cookie = f"photosearch-{self._derived('cookie')[:12]}"

    def _derived(self, purpose: str) -> str:
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).hexdigest()

    def caller(self, address: str, device: str | None) -> str:
        return address

    def wait(self, caller: str) -> float:
        """Nobody guesses this one."""
        return 0.0

    def begin(self, password: str, caller: str) -> str | None:
        """The session of who knows the secret."""
        given = password.strip().encode("utf-8", "surrogatepass")
        return self._session if hmac.compare_digest(given, self._secret) else None

    def known(self, name: str | None) -> bool:
        return name is not None and hmac.compare_digest(name.encode(), self._session.encode())

    def cookies(self, session: str) -> tuple[str, ...]:
        """The headers that make a browser remember its session."""
        return (f"{self.cookie}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_YEAR}",)
