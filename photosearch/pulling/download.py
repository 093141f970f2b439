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
# Seconds that a server may ask for, as hubs do of whoever asks for much, and be waited for.
_MOST_ASKED = 60.0
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
    for pause in (*_PAUSES, None):
        try:
            # Nothing here needs a name and a password, so none is sent along.
            found = get_hf_file_metadata(url, token=False, endpoint=endpoint)
            break
        except EntryNotFoundError:
            return None
        except Exception as error:  # hub and network raise what their own layers do, of many kinds
            response = getattr(error, "response", None)
            if pause is None or not _passes(getattr(response, "status_code", None)):
                raise DownloadError(
                    f"{url}: cannot be reached ({_reason(error)}); check the connection, and run "
                    f"the same command again; {_STAYS}"
                ) from None
            time.sleep(_wait(response, pause))
    digest = (found.etag or "").lower()
    known = _SHA256.fullmatch(digest) or _GIT.fullmatch(digest)
    if not known or found.size is None or not found.commit_hash:
        raise DownloadError(
            f"{url}: the server tells no size, commit and hash, so the file could not be checked; "
            "use huggingface.co, or a mirror that tells them"
        )
    fixed = hf_hub_url(repository, name, revision=found.commit_hash, endpoint=endpoint)
    return HubFile(name, fixed, found.size, digest, found.commit_hash)


def fetch(file: HubFile, place: Path) -> Iterator[int]:
    """Bring the file to its place; yields how many bytes of it are there, again and again.

    What is there of it from before is not fetched again, whatever ended that. The file gets its
    name only when it is whole and has its hash.

    Raises `DownloadError` when the connection breaks for good, and keeps what came until then; when
    the file is another than the hub says; or when it cannot be written.
    """
    part = place.with_name(f"{place.name}.part")
    if place.is_file():
        yield file.size
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    breaks = 0
    while _size(part) < file.size:
        before, asked = _size(part), 0.0
        try:
            yield from _stream(file, part)
            if _size(part) > before:
                continue
            reason = "the server sends nothing"
        except _BrokenError as error:
            reason, asked = str(error), error.asked
        breaks = 0 if _size(part) > before else breaks + 1
        if breaks == len(_PAUSES):
            raise DownloadError(
                f"{file.url}: the download broke off at {_size(part) / 1e6:.1f} of "
                f"{file.size / 1e6:.1f} MB ({reason}); the same command goes on from there; "
                f"{_STAYS}"
            )
        time.sleep(max(asked, _PAUSES[breaks]))
    if _digest(part, file) != file.digest:
        part.unlink()
        raise DownloadError(
            f"{file.url}: what came is not what the hub lists (another hash), and was deleted; run "
            f"the same command again, and if that does not help do not trust the connection; "
            f"{_STAYS}"
        )
    part.replace(place)
    yield file.size


def read_part(file: HubFile, start: int, end: int) -> bytes:
    """The bytes of a file from `start` up to `end`. There is no hash of a part to check it by.

    Raises `DownloadError` when they do not come.
    """
    from huggingface_hub import get_session

    headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end - 1}"}
    got = b""
    try:
        session: Any = get_session()
        with session.stream(
            "GET", file.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
        ) as response:
            if int(response.status_code) == 206:
                for chunk in response.iter_bytes(_CHUNK):
                    got += chunk
                    if len(got) >= end - start:
                        break
    except Exception as error:  # of many kinds, as above
        raise DownloadError(f"{file.url}: cannot be read ({_reason(error)})") from None
    if len(got) < end - start:
        raise DownloadError(f"{file.url}: is not served in parts")
    return got[: end - start]


class _BrokenError(Exception):
    """The connection broke; it may be tried again, after the seconds that the server asks for."""

    def __init__(self, reason: str, asked: float = 0.0) -> None:
        super().__init__(reason)
        self.asked = asked


def _stream(file: HubFile, part: Path) -> Iterator[int]:
    from huggingface_hub import get_session

    got = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={got}-"} if got else {})
    try:
        session: Any = get_session()
        with session.stream(
            "GET", file.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
        ) as response:
            _check_status(file, response)
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


def _check_status(file: HubFile, response: Any) -> None:
    status = int(response.status_code)
    if _passes(status):
        raise _BrokenError(f"HTTP {status}", _wait(response, 0.0))
    if status >= 400:
        raise DownloadError(f"{file.url}: is refused (HTTP {status}); {_STAYS}")


def _passes(status: int | None) -> bool:
    """Whether a refusal may be another answer a little later."""
    return status is not None and (status >= 500 or status in _TRY_AGAIN_ON)


def _wait(response: Any, pause: float) -> float:
    """The seconds to wait: as many as the server asks for, within reason, or else `pause`."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _MOST_ASKED) if asked.isdecimal() else pause


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
        f"{part}: cannot be written ({error.strerror or error}); make room on the disk, or "
        f"make the folder writable, and run the same command again; {_STAYS}"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _digest(path: Path, file: HubFile) -> str:
    with path.open("rb") as opened:
        if len(file.digest) == 64:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        # Small files are listed by the name that git gives them.
        named = hashlib.sha1(b"blob %d\0" % _size(path) + opened.read())  # noqa: S324
        return named.hexdigest()


def _reason(error: BaseException) -> str:
    """The first line of an error's message, or its kind when it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
