"""A photo as JSON: the same in `photosearch show`, over HTTP, for MCP and for the page.

`photosearch.api.schemas.Details` says what it looks like. Its version is that of search results.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from photosearch.about import About
from photosearch.search.report import VERSION


def described(about: About, text: str | None) -> dict[str, Any]:
    """All that the library knows of a photo, with the text that was read in it.

    Its file is not opened: that may be on a drive that does not answer.
    """
    file = about.file
    return {
        "version": VERSION,
        "photo_id": file.id,
        "path": file.path,
        "bytes": file.stamp.size,
        "width": file.width,
        "height": file.height,
        "format": file.format,
        "missing": file.missing,
        "companions": list(about.companions),
        **marked(about),
        "file_date": about.file_date,
        "text": text,
    }


def marked(about: About) -> dict[str, Any]:
    """What is known of a photo, and what of that the user gave it."""
    return {
        "metadata": asdict(about.metadata),
        "mark": asdict(about.mark),
        "persons": [asdict(one) for one in about.people],
    }
