"""Names of files that every system takes, for what may be unpacked on another one."""

from __future__ import annotations

import re

# Windows refuses these; a name with a slash or a backslash in it would also lead elsewhere.
_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
# Windows takes these for devices, whatever the suffix is.
_DEVICES = re.compile(
    r"(con|conin\$|conout\$|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|\s|$)", re.IGNORECASE
)


def portable_name(name: str) -> str:
    """`name`, with "_" for what Windows refuses; nearly every name stays as it is."""
    plain = _REFUSED.sub("_", name)
    # Windows drops these at the end without a word.
    kept = plain.rstrip(". ")
    plain = kept + "_" * (len(plain) - len(kept))
    return _DEVICES.sub(r"\1_", plain) if _DEVICES.match(plain) else plain
