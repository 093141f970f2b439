"""Gradio, imported without what it does for those who write programs with it."""

from __future__ import annotations

import inspect
import sys
from typing import Any


def import_gradio() -> Any:
    """The package, in less than half of the time that `import gradio` takes.

    Left out is that Gradio reads the source of each of its components and writes a stub for editors
    beside it, and that it imports the MCP SDK, where that is installed, for a server that the page
    does not have.
    """
    if "gradio" in sys.modules:
        return sys.modules["gradio"]
    real = inspect.getfile

    def getfile(object: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == "gradio.component_meta":
            raise OSError("no stub is wanted")  # as of classes that are in no file
        return real(object)

    # Only what was not imported before, and for as long as Gradio is imported.
    hidden = "mcp" not in sys.modules
    inspect.getfile = getfile
    if hidden:
        sys.modules["mcp"] = None  # type: ignore[assignment]
    try:
        import gradio

        return gradio
    finally:
        inspect.getfile = real
        if hidden:
            del sys.modules["mcp"]
