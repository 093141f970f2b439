"""The one error of exporting."""

from __future__ import annotations


class ExportError(ValueError):
    """A bundle cannot be made as asked; nothing was left at its place."""
