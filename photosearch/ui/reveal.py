"""A file shown in the system's file manager."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from photosearch.errors import PhotosearchError


def reveal(path: str) -> None:
    """Open the folder of `path` in the file manager, with the file marked where that can be.

    Raises `PhotosearchError` when there is no file manager to ask.
    """
    for command in _commands(path):
        program = command.split(" ", 1)[0] if isinstance(command, str) else command[0]
        if shutil.which(program) is None:
            continue
        try:
            done = subprocess.run(
                command,
                timeout=10,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        # Explorer says 1 when it has opened the folder.
        if done.returncode == 0 or sys.platform == "win32":
            return
    raise PhotosearchError("no file manager was found; the path can be copied instead")


def _commands(path: str) -> list[list[str] | str]:
    if sys.platform == "win32":
        # Explorer reads its command line itself: quotes belong around the path alone, which a comma
        # would end without them. No file name of Windows has a quote in it.
        return [f'explorer /select,"{path}"']
    if sys.platform == "darwin":
        return [["open", "-R", path]]
    # A comma would end an item of the array.
    uri = Path(path).as_uri().replace(",", "%2C")
    return [
        [
            "dbus-send",
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.FileManager1",
            "/org/freedesktop/FileManager1",
            "org.freedesktop.FileManager1.ShowItems",
            f"array:string:{uri}",
            "string:",
        ],
        ["xdg-open", os.path.dirname(path)],
    ]
