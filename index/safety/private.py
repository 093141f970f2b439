"""A library that only its owner can read: texts, places and people are in it."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077
# How the names of what photosearch makes in the folder of a library begin.
_OURS = (
    *("api.", "calibrations", "catalogue.db", "config.toml", "desktop.", "download.", "examples."),
    *(
        "models",
        "names.",
        "page.",
        "photosearch.log",
        "recent.",
        "speed.",
        "thumbnails",
        "ui.",
        "vectors",
    ),
    *("window", "writer.", ".config.", ".import-", ".salvage-", ".upgrade-", ".writer."),
)
# And those of what is being written.
_DRAFT = re.compile(r"\..+\.part")


def private_opener(path: str, flags: int) -> int:
    """For `open`: what it makes can be read by its owner only."""
    return os.open(path, flags, 0o600)


def make_private_folder(folder: Path) -> None:
    """Make a folder that is not there; those above it are made as usual. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_private_folders_in(library: Path, folder: Path) -> None:
    """Make a folder that lies in that of a library, and those between.

    Raises `OSError`, also where the library's own is not there: it was deleted or moved away, and
    nothing is to be made in its place.
    """
    made = library
    for name in folder.relative_to(library).parts:
        made /= name
        made.mkdir(mode=0o700, exist_ok=True)


def protect(folder: Path) -> None:
    """Let nobody else read what is in the library's folder, which others could in older ones.

    The folder stays as it is where something of another's is in it, and so does that.
    """
    if os.name == "nt":  # a user's folders are their own there
        return
    with suppress(OSError):
        entries = list(os.scandir(folder))
        ours = [
            entry
            for entry in entries
            if entry.name.startswith(_OURS) or _DRAFT.fullmatch(entry.name)
        ]
        open_before = bool(folder.stat().st_mode & _OTHERS)
        if len(ours) == len(entries):
            _close(folder)
        for entry in ours:
            if entry.is_symlink():
                continue
            _close(entry.path)
            if entry.is_dir() and (open_before or entry.name == "vectors"):
                _close_below(entry.path)


def _close_below(folder: str) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _close(os.path.join(parent, name))


def _close(path: str | Path) -> None:
    with suppress(OSError):
        mode = os.lstat(path).st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            os.chmod(path, stat.S_IMODE(mode) & ~_OTHERS)
