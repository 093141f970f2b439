"""The files below an address, as its server lists them; what it lists need not be true.

Names that lead out of the address are none. It may have folders without end: there are bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from photosearch.elsewhere.faults import ElsewhereError
from photosearch.elsewhere.files import read
from photosearch.elsewhere.servers import elsewhere, is_flat, is_web, plainly

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Folders in folders, names that one address may list in all, and bytes of a page that lists some.
DEEPEST, MOST, _PAGE = 64, 10_000_000, 64 << 20
# What libraries call the time of change.
_TIMES = ("LastModified", "last_modified", "Last-Modified", "mtime", "updated")
_SECOND = 1_000_000_000
_MANY = "lists more names than a library can have"


@dataclass(frozen=True)
class Listed:
    """A file: its address, its bytes, 0 where that is not known, and nanoseconds of change.

    These have in their fractions what the file's ETag says, where there is one, so that either
    tells of a change.
    """

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Unlisted:
    """A folder, or file, of which nothing can be told now."""

    path: str
    reason: str


def listed(
    address: str, is_wanted: Callable[[str], bool], is_left_out: Callable[[str, str], bool]
) -> Iterator[Listed | Unlisted]:
    """The files below an address, or at it, whose names are wanted, folder by folder.

    No folder is entered that is left out by its name, and the folder that it is in. A web server
    does not tell files from folders: what is wanted by its name is a file there.
    """
    try:
        with plainly(address):
            if is_flat(address):
                found = _found(address)
    except OSError as error:
        yield Unlisted(address, error.strerror or "cannot be listed")
        return
    if not is_flat(address):
        yield from _walked(address, is_wanted, is_left_out)
    elif len(found) > MOST:
        yield Unlisted(address, _MANY)
    else:
        yield from _of_store(address, found, is_wanted, is_left_out)


def _found(address: str) -> dict[str, dict[str, Any]]:
    """What a store tells of each name below an address, or of the one file at it."""
    files = elsewhere(address)
    found = files.find(address, detail=True)
    # So adlfs has it of a file.
    return {name: files.info(name) for name in found} if isinstance(found, list) else found


def _of_store(
    address: str,
    found: dict[str, dict[str, Any]],
    is_wanted: Callable[[str], bool],
    is_left_out: Callable[[str, str], bool],
) -> Iterator[Listed]:
    # Names come as the store has them, without a scheme.
    top = elsewhere(address)._strip_protocol(address).rstrip("/")
    for name in sorted(found):
        path = address + name.removeprefix(top)
        if name != top and not _leads_below(name, top):
            continue
        folder, _, last = path.rpartition("/")
        above = folder.removeprefix(address).split("/")[1:]
        if is_wanted(last) and not any(is_left_out(each, folder) for each in above):
            yield _as_told(path, found[name])


def _walked(
    address: str, is_wanted: Callable[[str], bool], is_left_out: Callable[[str, str], bool]
) -> Iterator[Listed | Unlisted]:
    """Folder by folder. What cannot be listed costs no other."""
    waiting = [(address, 0)]
    entered, count = {address}, 0
    while waiting:
        folder, depth = waiting.pop()
        if depth > DEEPEST:
            yield Unlisted(folder, f"lies deeper than {DEEPEST} folders")
            continue
        try:
            entries = _entries(folder, is_wanted if folder == address else None)
        except OSError as error:
            yield Unlisted(folder, error.strerror or "cannot be listed")
            continue
        count += len(entries)
        if count > MOST:
            yield Unlisted(address, _MANY)
            return
        below = []
        for path, told in sorted(entries.items()):
            name = path.rpartition("/")[2]
            kind = told.get("type")
            if kind == "directory":
                if path not in entered and not is_left_out(name, folder):
                    entered.add(path)
                    below.append((path, depth + 1))
            elif is_wanted(name) and (path == address or path not in entered):
                entered.add(path)
                item = _looked_at(path, told)
                if item is not None:
                    yield item
        waiting.extend(reversed(below))


def _looked_at(path: str, told: dict[str, Any]) -> Listed | Unlisted | None:
    """Of a link it is told what it leads to; one to a folder may lead back, and is not followed."""
    try:
        if told.get("size") is None or told.get("type") == "link":
            with plainly(path):
                told = elsewhere(path).info(path)
    except OSError as error:
        return Unlisted(path, error.strerror or "cannot be asked for")
    return None if told.get("type") == "directory" else _as_told(path, told)


def _entries(
    folder: str, is_file: Callable[[str], bool] | None = None
) -> dict[str, dict[str, Any]]:
    """What is told of each file and folder in a folder, by its address.

    With `is_file` it may be a file itself. Raises `OSError`.
    """
    with plainly(folder):
        files = elsewhere(folder)
        if is_web(folder):
            if is_file and is_file(unquote(folder.rpartition("/")[2])):
                return {folder: {}}
            return _of_page(files, folder)
        top = files._strip_protocol(folder).rstrip("/")
        if is_file:
            told = files.info(top or "/")
            if told["type"] == "file":
                return {folder: told}
        entries = {told["name"].rstrip("/"): told for told in files.ls(top or "/", detail=True)}
        return {
            folder + name.removeprefix(top): told
            for name, told in entries.items()
            if _leads_below(name, top)
        }


def _of_page(files: AbstractFileSystem, folder: str) -> dict[str, dict[str, Any]]:
    """What a page of a web server links to below its own address."""
    with files.open(f"{folder}/", "rb", block_size=0, size=1) as answer:
        kind = answer.r.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in ("text/html", "application/xhtml+xml"):
            raise ElsewhereError(None, "is no page that lists files")
        content = read(answer, _PAGE)
    if len(content) > _PAGE:
        raise ElsewhereError(None, _MANY)
    links = _Links()
    links.feed(content.decode("utf-8", "replace"))
    found: dict[str, dict[str, Any]] = {}
    for link in links.found:
        try:
            path = urljoin(f"{folder}/", link)
        except ValueError:
            continue
        # The server may take them for what they stand for.
        plain = unquote(path)
        if "?" in path or "#" in path or not _leads_below(plain.rstrip("/"), unquote(folder)):
            continue
        if not path.startswith(f"{folder}/"):
            continue
        is_folder = path.endswith("/")
        found[path.rstrip("/")] = {"type": "directory"} if is_folder else {"type": "file"}
    return found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _leads_below(name: str, top: str) -> bool:
    """Whether it is a name below this folder."""
    parts = name.removeprefix(f"{top}/").split("/")
    return name.startswith(f"{top}/") and not {".", ".."} & set(parts) and bool(parts[-1])


def _as_told(path: str, told: dict[str, Any]) -> Listed:
    return Listed(path, int(told.get("size") or 0), _time(told))


def _time(told: dict[str, Any]) -> int:
    when = next((told[name] for name in _TIMES if told.get(name)), None)
    seconds = 0.0
    if isinstance(when, datetime):
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    elif isinstance(when, (int, float)):
        seconds = float(when)
    elif isinstance(when, str):
        seconds = _seconds(when)
    tag = told.get("ETag") or told.get("etag")
    if tag is None:
        return int(seconds * _SECOND)
    import hashlib

    digest = hashlib.blake2s(str(tag).encode(), digest_size=8).digest()
    return int(seconds) * _SECOND + int.from_bytes(digest, "big") % _SECOND


def _seconds(when: str) -> float:
    """0 for what is no time."""
    from email.utils import parsedate_to_datetime

    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return parse(when).timestamp()
        except (ValueError, OverflowError, OSError):
            continue
    return 0.0
