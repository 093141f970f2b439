"""Gradio is imported without work that only those need who write programs with it."""

from __future__ import annotations

import subprocess
import sys

from optional import module


def told(program: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    return result.stdout


def test_no_stub_is_written_and_no_server_imported() -> None:
    seen = told(
        "import sys\n"
        "stubs = set()\n"
        "def watch(event, given):\n"
        "    if event == 'open' and str(given[0]).endswith('.pyi'):\n"
        "        stubs.add(given[0])\n"
        "sys.addaudithook(watch)\n"
        "import photosearch.ui.app\n"
        "print(sorted(stubs), [name for name in sys.modules if name.partition('.')[0] == 'mcp'])"
    )
    assert seen == "[] []\n"


def test_what_was_put_aside_is_back() -> None:
    module("mcp")
    seen = told(
        "import inspect\n"
        "before = inspect.getfile\n"
        "import photosearch.ui.app, gradio, mcp\n"
        "print(inspect.getfile is before, inspect.getfile(gradio.Textbox) == gradio.components."
        "textbox.__file__, mcp.types.__name__)"
    )
    assert seen == "True True mcp.types\n"
