"""What the first bytes of a file tell of it, and what only they and its name's end together do."""

from __future__ import annotations

# So many of them tell all that there is to tell.
HEAD = 32
FILMS = frozenset({".mp4", ".mov", ".m4v"})
# Films are ISO media files by any of dozens of brands, or none; pictures have one of these.
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx ")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def is_film(head: bytes, suffix: str) -> bool:
    """Whether a file that begins with `head`, and has this suffix, is a video to sample."""
    return suffix in FILMS and head[4:8] in _BOXES and head[8:12] not in _STILLS
