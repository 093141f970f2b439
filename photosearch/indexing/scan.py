"""Finding picture files under folders."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from index import FileStamp
from photosearch.elsewhere.addresses import checked, is_address
from photosearch.elsewhere.listing import Unlisted, listed
from photosearch.errors import UsageError
from photosearch.formats import suffixes
from photosearch.indexing.exports import SUFFIX as EXPORT
from photosearch.indexing.ignore import NAME as IGNORE_FILE
from photosearch.indexing.ignore import IgnoreRules
from photosearch.indexing.left_out import is_left_out, is_nobodys, kind_of
from photosearch.indexing.metadata.picasa import NAMES as PICASA
from photosearch.indexing.pairs import SIDECAR, FileGroup, groups
from photosearch.indexing.spelling import as_recorded
from photosearch.silent_drive import NoAnswerError, steadily, within

_DESCRIBE = (SIDECAR, EXPORT)

# How many files of each kind a scan has passed over, by their suffix, in each folder that has any.
Others = dict[str, Counter[str]]


@dataclass(frozen=True)
class Sidecar:
    """A file that describes a picture beside it: XMP, Google Takeout's JSON, or Picasa's ini."""

    path: str
    stamp: FileStamp


@dataclass(frozen=True)
class Found:
    """A picture file, by its suffix; nothing has been opened yet.

    `beside` is the path of the picture that it may belong to, as in `pairs.FileGroup`.
    """

    path: str
    stamp: FileStamp
    sidecars: tuple[Sidecar, ...] = ()
    beside: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A file or folder that could not be looked at; what is below it is unknown, not gone."""

    path: str
    reason: str


def resolve_roots(
    paths: Sequence[str | os.PathLike[str]], known: Collection[str] = ()
) -> list[str]:
    """Absolute paths of the folders or single pictures to index, as they were given.

    What lies inside another one, or is the same by way of a link, is left out. One that is `known`
    from before need not be there just now.

    Raises `UsageError` naming the first that is empty, does not exist, is neither folder nor
    picture, or is left out by an ignore file without being `known`.
    """
    roots: list[str] = []
    silent: set[str] = set()
    for given in paths:
        if not os.fspath(given):
            # It would stand for the current folder, which nobody named.
            raise UsageError("the name of a folder to index is empty; give its path")
        if is_address(given):
            roots.append(checked(os.fspath(given)))
            continue
        path = as_recorded(given, [*known, *roots])
        try:
            within(os.path.join(path, ""), _check_root, path, known)
        except NoAnswerError as error:
            if path not in known:
                raise UsageError(f"{path}: {error.strerror}") from None
            silent.add(path)
        roots.append(path)
    as_given = {root for root in roots if root in silent or is_address(root)}
    real = {root if root in as_given else _real(root): root for root in reversed(roots)}
    kept = {place for place in real if not any(_is_scanned(place, other) for other in real)}
    return [root for root in dict.fromkeys(roots) if root in {real[place] for place in kept}]


def _check_root(path: str, known: Collection[str]) -> None:
    if not os.path.exists(path):
        if path in known:
            return
        raise UsageError(
            f"{path}: there is no such folder; check the name, or connect the drive it is on"
        )
    if not os.path.isdir(path) and Path(path).suffix.lower() not in suffixes():
        raise UsageError(
            f"{path}: is neither a folder nor a picture; "
            f"pictures end in {', '.join(sorted(suffixes()))}"
        )
    if path not in known:
        _check_not_ignored(path)


def _check_not_ignored(path: str) -> None:
    try:
        ignoring = IgnoreRules.above(path)[1]
    except OSError:
        return  # the scan tells of it
    if ignoring:
        raise UsageError(f"{path}: is left out by {ignoring}; change that file to index it")


def _is_scanned(path: str, folder: str) -> bool:
    """Whether a scan of `folder` comes by `path`, which may be hidden from it.

    Where its drive does not answer it is taken not to.
    """
    if is_address(folder) or is_address(path):
        return path.startswith(f"{folder}/")
    try:
        return path != folder and within(os.path.join(folder, ""), comes_by, folder, path)
    except NoAnswerError:
        return False


def _real(path: str) -> str:
    try:
        real: str = within(os.path.join(path, ""), os.path.realpath, path)
    except NoAnswerError:
        return path
    return real


def comes_by(root: str, path: str) -> bool:
    """Whether a scan of `root` comes by `path`, as far as names tell; ignore files are asked only
    whether they take back in what is left out by its name.
    """
    start = root.rstrip(os.sep) + os.sep
    if path == root:
        return True
    if not path.startswith(start):
        return False
    folder = root
    for name in path[len(start) :].split(os.sep):
        below = os.path.join(folder, name)
        if is_left_out(name, folder):
            try:
                rules, _ = IgnoreRules.above(below)
            except OSError:
                return False
            if not rules.takes_back(below):
                return False
        folder = below
    return True


def is_looked_at(name: str) -> bool:
    """Whether a file of this name may be a picture, or describe one."""
    # Of a name that does not begin with a dot this is what os.path.splitext gives, and quicker.
    suffix = name[name.rfind(".") :].lower()
    if describes_folder(name):
        return True
    return (suffix in suffixes() or suffix in _DESCRIBE) and not name.startswith(".")


def describes_folder(name: str) -> bool:
    """Whether a file of this name may describe all pictures of its folder."""
    # Most names are none, which the last letters tell soonest.
    return name[-4:].lower() == ".ini" and name.lower() in PICASA


def links(root: str) -> list[str]:
    """The links to folders that a scan of `root` may follow, in order; no folder is entered twice.

    Ignore files are not asked. Raises `NoAnswerError`.
    """
    looked_into = steadily(os.path.join(root, ""), _links(root))
    return sorted(path for linked in looked_into for path in linked)


def _links(root: str) -> Iterator[list[str]]:
    """The links in each folder."""
    entered: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        found: list[str] = []
        with suppress(OSError):
            status = os.stat(folder)
            key = (status.st_dev, status.st_ino)
            if status.st_ino and key in entered:
                continue
            entered.add(key)
            with os.scandir(folder) as listing:
                for entry in listing:
                    if not is_left_out(entry.name, folder) and entry.is_dir():
                        waiting.append(entry.path)
                        if entry.is_symlink():
                            found.append(entry.path)
        yield found


def scan(root: str, others: Others | None = None) -> Iterator[Found | Unreadable]:
    """The pictures below `root` (or `root` itself), folder by folder, in order of name.

    Hidden files and folders are left out, those that systems and programs keep for themselves, and
    what `.photosearchignore` files name. Links are followed, but no folder is entered twice. Files
    of other kinds are counted in `others`. Where a drive does not answer the scan ends, and `root`
    is told of as unreadable.
    """
    if is_address(root):
        yield from scan_address(root)
        return
    try:
        for item in steadily(os.path.join(root, ""), _steps(root, others)):
            if item is not None:
                yield item
    except NoAnswerError as error:
        yield Unreadable(root, error.strerror or str(error))


def scan_address(root: str) -> Iterator[Found | Unreadable]:
    """As `scan`, of what is elsewhere.

    What cannot be listed, or has nothing in it any more, is told of as unreadable: so a store that
    is away takes no photo from the library.
    """
    stamps: dict[str, FileStamp] = {}
    folders: dict[str, list[str]] = {}
    is_told = False
    for item in listed(root, is_looked_at, is_left_out):
        if isinstance(item, Unlisted):
            is_told = is_told or item.path == root
            yield Unreadable(item.path, item.reason)
            continue
        folder, _, name = item.path.rpartition("/")
        stamps[item.path] = FileStamp(item.size, item.changed)
        folders.setdefault(folder, []).append(name)
    if not stamps and not is_told:
        yield Unreadable(root, "has no photo in it, or is not there now")
    for folder, names in folders.items():
        for group in groups([name for name in names if not describes_folder(name)]):
            path = f"{folder}/{group.name}"
            beside = group.beside and f"{folder}/{group.beside}"
            described = (f"{folder}/{name}" for name in group.sidecars)
            sidecars = tuple(Sidecar(each, stamps[each]) for each in described)
            yield Found(path, stamps[path], sidecars, beside)


def _steps(root: str, others: Others | None) -> Iterator[Found | Unreadable | None]:
    """As `scan`, and None after each folder, most of which may hold no picture."""
    try:
        rules, ignoring = IgnoreRules.above(root)
    except OSError as error:
        # What it may leave out is unknown, so nothing is taken.
        yield Unreadable(root, f"{error.filename}: {error.strerror}")
        return
    if ignoring:
        return
    if not os.path.isdir(root):
        yield from _single(root)
        return
    waiting = [(root, rules)]
    entered: set[tuple[int, int]] = set()
    while waiting:
        folder, rules = waiting.pop()
        try:
            status = os.stat(folder)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
            faults: list[str] = []
            if any(entry.name == IGNORE_FILE for entry in entries):
                rules, faults = rules.inside(folder)
        except OSError as error:
            yield Unreadable(folder, _reason(error, folder))
            continue
        # Some file systems give every folder the number 0; there, links cannot be told apart.
        key = (status.st_dev, status.st_ino)
        if status.st_ino and key in entered:
            continue
        entered.add(key)
        for fault in faults:
            yield Unreadable(os.path.join(folder, IGNORE_FILE), fault)
        below, files = [], []
        whole: list[str] = []
        passed: Counter[str] = Counter()
        for entry in entries:
            if describes_folder(entry.name):
                if not rules.decides(entry.path, is_folder=False):
                    whole.append(entry.name)
                continue
            if is_left_out(entry.name, folder) and not rules.takes_back(entry.path):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:
                yield Unreadable(entry.path, error.strerror or str(error))
                continue
            if not is_folder and not is_looked_at(entry.name):
                if others is not None and _is_missed(entry, rules):
                    passed[kind_of(entry.name)] += 1
                continue
            if rules.decides(entry.path, is_folder=is_folder):
                continue
            if is_folder:
                below.append((entry.path, rules))
            else:
                files.append(entry.name)
        if others is not None and passed:
            others[folder] = passed
        for group in groups(files):
            yield _look(folder, group, whole)
        waiting.extend(reversed(below))
        yield None


def _is_missed(entry: os.DirEntry[str], rules: IgnoreRules) -> bool:
    """Whether somebody may look for a file that is no picture among those that are found."""
    if is_nobodys(entry.name):
        return False
    try:
        return entry.is_file() and not rules.decides(entry.path, is_folder=False)
    except OSError:
        return False


def _reason(error: OSError, folder: str) -> str:
    reason = error.strerror or str(error)
    is_rules = error.filename == os.path.join(folder, IGNORE_FILE)
    return f"{IGNORE_FILE}: {reason}" if is_rules else reason


def _single(path: str) -> Iterator[Found | Unreadable]:
    """The one picture at `path`, with what its folder, if it can be listed, has of it beside it."""
    folder, name = os.path.split(path)
    try:
        names = set(os.listdir(folder))
    except OSError:
        names = set()
    for group in groups(names | {name}):
        if name in (group.name, group.beside):
            yield _look(folder, group, sorted(filter(describes_folder, names)))


def _look(folder: str, group: FileGroup, whole: Sequence[str]) -> Found | Unreadable:
    """The picture of a group, with what describes it; `whole` describes all of the folder."""
    found = _look_at(os.path.join(folder, group.name))
    if isinstance(found, Unreadable) or not (group.sidecars or group.beside or whole):
        return found
    described = (_look_at(os.path.join(folder, name)) for name in (*group.sidecars, *whole))
    sidecars = (Sidecar(item.path, item.stamp) for item in described if isinstance(item, Found))
    beside = group.beside and os.path.join(folder, group.beside)
    return replace(found, sidecars=tuple(sidecars), beside=beside)


def _look_at(path: str) -> Found | Unreadable:
    try:
        status = os.stat(path)
    except OSError as error:
        return Unreadable(path, error.strerror or str(error))
    if not stat.S_ISREG(status.st_mode):
        # Opening a named pipe would wait for ever.
        return Unreadable(path, "is not a regular file")
    return Found(path, FileStamp(status.st_size, status.st_mtime_ns))
