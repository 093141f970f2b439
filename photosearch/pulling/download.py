"""One file from the Hugging Face hub: looked up, fetched, gone on with after a break, and checked.

The hub's own client is asked for addresses and connections. Its downloads are not used: they begin
anew in each process, and check no hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photosearch.errors import DownloadError

# What is lost of it when a connection breaks is fetched again.
_CHUNK = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
# Seconds to wait after a break; those that brought nothing new are counted, and the last gives up.
_PAUSES = (0.5, 2.0, 5.0)
_SHA256, _GIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_TRY_AGAIN_ON = frozenset({408, 429})
_STAYS = "the model in use stays as it is"


@dataclass(frozen=True)
class HubFile:
    """A file of a repository at one commit. `digest` is its sha256, or, if small, git's hash."""

    name: str
    url: str
    size: int
    digest: str
    commit: str


def look_up(
    repository: str, name: str, *, commit: str | None = None, endpoint: str | None = None
) -> HubFile | None:
    """The file of that name, at `commit` or as it is now; None when the repository has none.

    `endpoint` is the address of the hub, or of one that works like it: HF_ENDPOINT, or the usual.

    Raises `DownloadError` when the hub cannot be asked, or tells too little to check the file by.
    """
    # Else the client says with each request which packages are installed here.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    url = hf_hub_url(repository, name, revision=commit, endpoint=endpoint)
    try:
        # Nothing here needs a name and a password, so none is sent along.
        found = get_hf_file_metadata(url, token=False, endpoint=endpoint)
    except EntryNotFoundError:
        return None
    except Exception as error:  # hub and network raise what their own layers do, of many kinds
        raise DownloadError(
            f"{url}: cannot be reached ({_reason(error)}); check the connection, and run the same "
            f"command again; {_STAYS}"
        ) from None
    digest = (found.etag or "").lower()
    known = _SHA256.fullmatch(digest) or _GIT.fullmatch(digest)
    if not known or found.size is None or not found.commit_hash:
        raise DownloadError(
            f"{url}: the server tells no size, commit and hash, so the file could not be checked; "
            "use huggingface.co, or a mirror that tells them"
        )
    fixed = hf_hub_url(repository, name, revision=found.commit_hash, endpoint=endpoint)
    return HubFile(name, fixed, found.size, digest, found.commit_hash)


def fetch(file: HubFile, folder: Path) -> Iterator[int]:
    """Bring the file into `folder`; yields how many bytes of it are there, again and again.

    What is there of it from before is not fetched again, whatever ended that. The file gets its
    name only when it is whole and has its hash.

    Raises `DownloadError` when the connection breaks for good, and keeps what came until then; when
    the file is another than the hub says; or when it cannot be written.
    """
    place, part = folder / file.name, folder / f"{file.name}.part"
    if place.is_file():
        yield file.size
        return
    breaks = 0
    while _size(part) < file.size:
        before = _size(part)
        try:
            yield from _stream(file, part)
            if _size(part) > before:
                continue
            reason = "the server sends nothing"
        except _BrokenError as error:
            reason = str(error)
        breaks = 0 if _size(part) > before else breaks + 1
        if breaks == len(_PAUSES):
            raise DownloadError(
                f"{file.url}: the download broke off at {_size(part) / 1e6:.1f} of "
                f"{file.size / 1e6:.1f} MB ({reason}); the same command goes on from there; "
                f"{_STAYS}"
            )
        time.sleep(_PAUSES[breaks])
    if _digest(part, file) != file.digest:
        part.unlink()
        raise DownloadError(
            f"{file.url}: what came is not what the hub lists (another hash), and was deleted; run "
            f"the same command again, and if that does not help do not trust the connection; "
            f"{_STAYS}"
        )
    part.replace(place)
    yield file.size


class _BrokenError(Exception):
    """The connection broke; it may be tried again."""


def _stream(file: HubFile, part: Path) -> Iterator[int]:
    from huggingface_hub import get_session

    got = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={got}-"} if got else {})
    try:
        session: Any = get_session()
        with session.stream(
            "GET", file.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
        ) as response:
            _check_status(file, int(response.status_code))
            if response.status_code != 206:  # the whole file, whatever was asked for
                got = 0
            with _open(part, keep=got > 0) as out:
                for chunk in response.iter_bytes(_CHUNK):
                    _write(out, chunk, part)
                    got += len(chunk)
                    yield got
    except (DownloadError, _BrokenError):
        raise
    except Exception as error:
        raise _BrokenError(_reason(error)) from None


def _check_status(file: HubFile, status: int) -> None:
    if 400 <= status < 500 and status not in _TRY_AGAIN_ON:
        raise DownloadError(f"{file.url}: is refused (HTTP {status}); {_STAYS}")
    if status >= 400:
        raise _BrokenError(f"HTTP {status}")


def _open(part: Path, *, keep: bool) -> Any:
    try:
        return part.open("ab" if keep else "wb")
    except OSError as error:
        raise _unwritable(part, error) from None


def _write(out: Any, chunk: bytes, part: Path) -> None:
    try:
        out.write(chunk)
        # What is counted as fetched is in the file, also after a crash of this process.
        out.flush()
    except OSError as error:
        raise _unwritable(part, error) from None


def _unwritable(part: Path, error: OSError) -> DownloadError:
    return DownloadError(
        f"{part}: cannot be written ({error.strerror}); make room on the disk, or make the folder "
        f"writable, and run the same command again; {_STAYS}"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _digest(path: Path, file: HubFile) -> str:
    with path.open("rb") as opened:
        if len(file.digest) == 64:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        # Small files are listed by the name that git gives them.
        return hashlib.sha1(b"blob %d\0" % _size(path) + opened.read()).hexdigest()


def _reason(error: BaseException) -> str:
    """The first line of an error's message, or its kind when it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
