"""Names that are written in more than one way, and mean the same folder.

Accents are one character with their letter or two, and on macOS both are the same name; there, and
on Windows, so are capitals and small letters. A folder that is named in another way than it was
indexed is still the one that is known, lest its photos be recorded twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from types import ModuleType

from index.catalogue.functions import composed, same_name
from photosearch.elsewhere.addresses import is_address
from photosearch.silent_drive import NoAnswerError, within
from photosearch.typed_path import absolute_path


def as_recorded(given: str | os.PathLike[str], known: Collection[str]) -> str:
    """The absolute path of a folder, or single picture, as the catalogue has it.

    The folders that are `known` spell what is in them; what is not, is spelt as on the disk.
    """
    path = absolute_path(given)
    if is_address(path):
        return path
    try:
        return within(os.path.join(path, ""), _as_recorded, path, known)
    except NoAnswerError:
        return path


def _as_recorded(path: str, known: Collection[str]) -> str:
    return as_known(on_disk(path), known)


def on_disk(path: str) -> str:
    """The absolute `path` with capitals as the disk has them, where that takes others too."""
    return _spelt(path, os.path, os.listdir, _is_same)


def as_known(path: str, known: Collection[str]) -> str:
    """`path` as the folders that are `known` spell it, when it is in one of them, or is one."""
    starts = [folder.rstrip(os.sep) for folder in known if not is_address(folder)]
    heads = [os.sep.join(path.split(os.sep)[: start.count(os.sep) + 1]) for start in starts]
    if any(head == start for head, start in zip(heads, starts, strict=True)):
        return path
    for head, start in zip(heads, starts, strict=True):
        if same_name(head, start):
            spelt = start + path[len(head) :]
            # Where capitals count, another folder may be meant, which is on a drive that is away.
            sure = sys.platform == "win32" or composed(head) == composed(start)
            if _is_same(path, spelt) or (sure and not os.path.exists(path)):
                return spelt
    return path


def _spelt(
    path: str,
    paths: ModuleType,
    listing: Callable[[str], list[str]],
    same: Callable[[str, str], bool],
) -> str:
    drive, tail = paths.splitdrive(path)
    # A share has the name that it was given; its server tells no other.
    place = drive.upper() if len(drive) == 2 else drive
    if tail.startswith(paths.sep):
        place += paths.sep
    for name in filter(None, tail.split(paths.sep)):
        other = name.swapcase()
        if name != other and same(paths.join(place, name), paths.join(place, other)):
            name = _listed(name, place, listing)
        place = paths.join(place, name)
    return str(place)


def _listed(name: str, folder: str, listing: Callable[[str], list[str]]) -> str:
    try:
        names = listing(folder)
    except OSError:
        return name
    alike = [each for each in names if same_name(each, name)]
    return alike[0] if len(alike) == 1 else name


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
