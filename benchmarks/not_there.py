"""What a benchmark asks for and the files that it was given lack."""

from __future__ import annotations


class NotThereError(ValueError):
    """Names the option that it was to come by, and what to give there."""
