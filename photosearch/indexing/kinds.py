"""The kinds of files that are looked for, by their suffix in lower case and their first bytes."""

from __future__ import annotations

JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
HEIF = frozenset({".heic", ".heif", ".hif", ".avif"})
RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"})
FILMS = frozenset({".mp4", ".mov", ".m4v"})
SUFFIXES = JPEG | HEIF | RAW | FILMS | {".jxl", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"}

# So many of a file's first bytes tell its kind.
HEAD = 32
# Films are ISO media files by any of dozens of brands, or none; pictures have one of these.
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx ")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def is_film(head: bytes, suffix: str) -> bool:
    """Whether a file that begins with `head`, and has this suffix, is a video to sample."""
    return suffix in FILMS and head[4:8] in _BOXES and head[8:12] not in _STILLS
