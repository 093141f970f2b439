"""Where the small pictures of photos are kept: in the library folder, by what is in the file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from index.safety.private import make_private_folders_in
from index.safety.whole import write_whole

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
    # A full or read-only disk, or on Windows one that somebody reads just now: it is made anew.
    with suppress(OSError):
        make_private_folders_in(library, path.parent)
        # One that is lost in a power cut is made anew, too, and there are many.
        write_whole(path, data, beside=library / FOLDER, sync=False)
