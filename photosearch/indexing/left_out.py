"""What programs and systems keep beside people's photos, and no scan looks at."""

from __future__ import annotations

import os

# Folders, in lower case: recycle bins, snapshots and thumbnails of NAS boxes; what Windows, macOS
# and Linux keep for themselves; what macOS puts into zip files. docs/formats.md says of each why.
_FOLDERS = frozenset(
    {
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@sharebin",
        "@tmp",
        "@transcode",
        "#recycle",
        "#snapshot",
        "~snapshot",
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        "network trash folder",
        "temporary items",
        "__macosx",
        "lost+found",
    }
)
# Lightroom's previews, which are copies of photos.
_PREVIEWS = ".lrdata"
# Libraries of Apple's programs look like one file there, and hold everything many times over.
_LIBRARIES = (
    ".photoslibrary",
    ".photolibrary",
    ".aplibrary",
    ".migratedphotolibrary",
    ".migratedaplibrary",
)
_ORIGINALS = frozenset({"originals", "masters"})
# Files that systems and programs write into folders of photos by themselves.
_FILES = frozenset(
    {
        "desktop.ini",
        "thumbs.db",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "picasa.ini",
        "zbthumbnail.info",
        "icon\r",
    }
)
# A name that ends in a dot and more than this tells no kind.
_LONGEST_SUFFIX = 12


def is_left_out(name: str, folder: str) -> bool:
    """Whether no scan looks at what is called `name` in the folder at `folder`, or called so.

    It is hidden, or a system or a program made it for itself. Of the libraries of Apple's programs
    only the originals are looked at.
    """
    if name.startswith("."):
        return True
    lower = name.lower()
    if lower in _FOLDERS or lower.endswith(_PREVIEWS):
        return True
    # Asked of each file, and the end of a path is quicker to look at than the path.
    if folder[-7:].lower() != "library" or not folder.lower().endswith(_LIBRARIES):
        return False
    return lower not in _ORIGINALS


def is_nobodys(name: str) -> bool:
    """Whether a file of this name was put there by a system, so that nobody misses it."""
    return name.startswith(".") or name.lower() in _FILES


def kind_of(name: str) -> str:
    """The suffix of a file's name, in lower case with its dot; empty where it tells no kind."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix if len(suffix) <= _LONGEST_SUFFIX and suffix[1:].isalnum() else ""
