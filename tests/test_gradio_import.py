"""Gradio is imported without work that only those need who write programs with it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from optional import module

pytestmark = pytest.mark.slow


def test_no_stub_is_written_no_server_imported_and_what_was_put_aside_is_back() -> None:
    module("mcp")
    program = (
        "import inspect, sys\n"
        "before = inspect.getfile\n"
        "stubs = set()\n"
        "def watch(event, given):\n"
        "    if event == 'open' and str(given[0]).endswith('.pyi'):\n"
        "        stubs.add(given[0])\n"
        "sys.addaudithook(watch)\n"
        "import photosearch.ui.app\n"
        "print(sorted(stubs), [name for name in sys.modules if name.partition('.')[0] == 'mcp'])\n"
        "import gradio, mcp\n"
        "print(inspect.getfile is before, inspect.getfile(gradio.Textbox) == gradio.components."
        "textbox.__file__, mcp.types.__name__)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert told.stdout == "[] []\nTrue True mcp.types\n"
