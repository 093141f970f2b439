"""Folders to choose from, for a browser, which cannot name them itself."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path
from typing import Any

from photosearch.errors import UsageError


def whole_path(typed: str) -> Path:
    """The folder that was typed; `~` is the home folder.

    Raises `UsageError` for a part of a path: nobody at a page knows where that would begin.
    """
    folder = Path(os.path.expanduser(typed))
    if not folder.is_absolute():
        raise UsageError(f"{typed}: give the whole path of the folder, from its beginning")
    return folder


def subfolders(path: str) -> dict[str, Any]:
    """The visible folders in `path`, the home folder when it is empty; no file is named.

    Raises `UsageError` when it is not a folder that can be looked into.
    """
    folder = whole_path(path) if path else Path.home()
    try:
        with os.scandir(folder) as listing:
            names = sorted((entry.name for entry in listing if _is_folder(entry)), key=str.casefold)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from error
    return {
        "path": str(folder),
        "parent": str(folder.parent) if folder.parent != folder else None,
        "folders": [
            {"name": name, "path": str(folder / name)} for name in names if name.isprintable()
        ],
        "suggestions": _suggestions(),
    }


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith((".", "$")) and entry.is_dir()
    except OSError:
        return False


def _suggestions() -> list[dict[str, str]]:
    """Places where photos usually are, and that exist here."""
    import platformdirs

    home = Path.home()
    places = [Path(platformdirs.user_pictures_path()), home / "Desktop", home / "Downloads", home]
    found = dict.fromkeys(place for place in [*places, *_drives(home.name)] if place.is_dir())
    return [{"name": place.name or str(place), "path": str(place)} for place in found]


def _drives(user: str) -> list[Path]:
    """Where other disks are. On Windows no folder is above them, so nobody would come by them."""
    if sys.platform == "win32":
        return [Path(f"{letter}:\\") for letter in string.ascii_uppercase]
    return [Path("/media") / user, Path("/Volumes"), Path("/mnt")]
