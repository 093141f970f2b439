"""Where the files are that come with us, in an installed wheel and in a source tree."""

from __future__ import annotations

from pathlib import Path


def asset(*parts: str) -> Path:
    """The file or folder of this path in `assets`, whether it is there or not."""
    package = Path(__file__).resolve().parent
    # An installed wheel carries the assets inside the package; a source tree has them beside it.
    installed = Path(package, "assets", *parts)
    return installed if installed.exists() else Path(package.parent, "assets", *parts)
