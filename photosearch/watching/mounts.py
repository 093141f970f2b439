"""Which folders lie on a drive whose changes this machine is not told of.

Of a network drive, or a folder that a virtual machine shares, the system tells what is changed from
here, and not what others change.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from index.safety import filesystem

_ESCAPED = re.compile(r"\\([0-7]{3})")


def unwatched(folder: str, real: str) -> dict[str, str]:
    """`folder` itself, or the drives mounted below it, that must be looked at; why, by path.

    `real` is where it is, without links. Drives below are known where the system lists them as
    Linux does.
    """
    kind = filesystem.network_drive(Path(folder))
    if kind is not None:
        return {folder: kind}
    start = real.rstrip(os.sep) + os.sep
    found = {}
    for place in sorted(_mount_points()):
        if place.startswith(start) and (kind := filesystem.network_drive(Path(place))):
            found[os.path.join(folder, place[len(start) :])] = kind
    return found


def _mount_points() -> set[str]:
    with suppress(OSError):
        lines = filesystem.MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
        fields = [line.split(" ") for line in lines]
        return {
            _ESCAPED.sub(lambda code: chr(int(code[1], 8)), each[4])
            for each in fields
            if len(each) > 4
        }
    return set()
