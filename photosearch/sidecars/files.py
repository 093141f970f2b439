"""Which file beside a photo describes it, and writing that whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from index.paths import is_within
from photosearch.indexing.metadata.xmp import LONGEST
from photosearch.indexing.pairs import SIDECAR, groups
from photosearch.regular_file import open_regular

# How a new sidecar is called: "IMG.JPG.xmp" or "IMG.xmp".
Naming: TypeAlias = Literal["full", "stem"]
# What is kept of a sidecar as it was before it was changed for the first time ends so.
KEPT = "~"
# What `write` writes to, with what it makes of that on drives that know no links.
_DRAFT = re.compile(r"\.photosearch-[0-9a-f]{16}\.xmp\.part~?")


class LeftAloneError(Exception):
    """Nothing is written; the text says why, as in "a.xmp: is a link"."""


@dataclass(frozen=True)
class Beside:
    """The sidecar of a photo; no `content` where there is none yet."""

    path: str
    content: bytes | None


def sidecar_of(photo: str, naming: Naming, folders: Collection[str]) -> Beside:
    """The file that describes `photo`, or the one to make; `folders` are those of the library.

    It is the first that is read of the photo; one that describes another picture as well is left
    alone, and one of the photo's own is made beside it, which goes before it.

    Raises `LeftAloneError` when none can be written.
    """
    folder, name = os.path.split(photo)
    real = os.path.realpath(folder)
    inside = (os.path.realpath(known) for known in folders)
    if not any(is_within(real, known) or os.path.realpath(photo) == known for known in inside):
        raise LeftAloneError("a link leads out of the folders of the library")
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise LeftAloneError(f"its folder cannot be read ({error.strerror})") from None
    every = list(groups(names))
    own = next((group for group in every if group.name == name), None)
    if own is None:
        raise LeftAloneError("its file is gone; index its folder again")
    others = [one for one in every if one.name != name and one.beside != name]
    shared = {sidecar for one in others for sidecar in one.sidecars}
    found = [one for one in own.sidecars if one.lower().endswith(SIDECAR) and one not in shared]
    if found:
        path = os.path.join(folder, found[0])
        return Beside(path, _read(path))
    new = name if naming == "full" else os.path.splitext(name)[0]
    path = os.path.join(folder, new + SIDECAR)
    if os.path.lexists(path):
        raise LeftAloneError(f"{new}{SIDECAR} describes another picture, too")
    if naming == "stem" and any(os.path.splitext(one.name)[0] == new for one in others):
        raise LeftAloneError(f"{new}{SIDECAR} would describe another picture, too")
    return Beside(path, None)


def write(beside: Beside, content: bytes) -> None:
    """Put `content` in the place of the sidecar, in one step: it is the old one or the new one.

    The one before is kept with "~" behind its name, unless that is there already. A sidecar that
    has changed since it was read is left alone: `LeftAloneError`, as also when there is no room, or
    the folder cannot be written.
    """
    path = beside.path
    folder, name = os.path.split(path)
    # Always the same name, so that what a killed process left is used up; and one of no user's.
    hashed = hashlib.blake2b(os.fsencode(name), digest_size=8).hexdigest()
    draft = os.path.join(folder, f".photosearch-{hashed}{SIDECAR}.part")
    try:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        number = os.open(draft, flags | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with open(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if beside.content is None:
                _put_new(draft, path)
            else:
                shutil.copymode(path, draft)
                _keep(path, draft)
                if _read(path) != beside.content:
                    raise LeftAloneError("it was changed meanwhile; run it again")
                os.replace(draft, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)
        _sync(folder)
    except OSError as error:
        raise LeftAloneError(f"it cannot be written ({error.strerror})") from None


def clear(folder: str) -> None:
    """Remove what killed processes were writing, or had given its name already, in a folder.

    Only for whoever keeps others from writing sidecars there.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _DRAFT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    os.unlink(entry.path)


def _read(path: str) -> bytes:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise LeftAloneError(f"{os.path.basename(path)} is a link, or no file")
        with open_regular(path) as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise LeftAloneError(
            f"{os.path.basename(path)} cannot be read ({error.strerror})"
        ) from None


def _put_new(draft: str, path: str) -> None:
    """Give the draft its name, unless another file has taken that."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise LeftAloneError("it was made meanwhile; run it again") from None
    except OSError:
        # Some drives know no links.
        if os.path.lexists(path):
            raise LeftAloneError("it was made meanwhile; run it again") from None
        os.rename(draft, path)


def _keep(path: str, draft: str) -> None:
    """Give what is at `path` a second name, unless something has that already."""
    if os.path.lexists(path + KEPT):
        return
    try:
        os.link(path, path + KEPT, follow_symlinks=False)
    except (OSError, NotImplementedError):
        # Some drives know no links.
        with suppress(FileNotFoundError):
            os.unlink(draft + KEPT)
        shutil.copy2(path, draft + KEPT, follow_symlinks=False)
        os.rename(draft + KEPT, path + KEPT)


def _sync(folder: str) -> None:
    """The name is on the disk, too; on Windows a folder cannot be opened for that."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
