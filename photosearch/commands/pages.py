"""What the pages need."""

from __future__ import annotations

from importlib.util import find_spec

from photosearch.errors import UsageError


def import_pages() -> None:
    """Raises `UsageError` when Gradio is not installed."""
    if find_spec("gradio") is None:
        raise UsageError("the pages need Gradio; install it: pip install gradio")
