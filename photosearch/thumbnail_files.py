"""Where the small pictures of photos are kept: in the library folder, by what is in the file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from index.safety.private import make_private_folders_in

FOLDER = "thumbnails"
# To be changed when pictures are made otherwise, so that those of before are not shown. Those
# outside this folder have the colours of their files' profiles taken for sRGB's.
MADE = "srgb"
# Longest side, in pixels, of those on the grid.
GRID = 512


def place_of(library: Path, digest: bytes) -> Path:
    """The file of the small picture of these bytes."""
    name = digest.hex()
    return library / FOLDER / MADE / name[:2] / f"{name[:40]}.webp"


def keep(library: Path, digest: bytes, data: bytes) -> None:
    """Written beside and renamed, so that nobody reads half a picture."""
    path = place_of(library, digest)
    try:
        make_private_folders_in(library, path.parent)
        descriptor, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(beside, path)
        except OSError:
            # Windows replaces no file that somebody reads just now.
            os.unlink(beside)
            raise
    except OSError:
        # A full or read-only disk: the picture is made anew each time.
        return
