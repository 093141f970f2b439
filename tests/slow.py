"""Tests that take long: marked `slow`, left out by `make quick`, and started first.

Slow is what takes about half a second of processor time or more, and all that uses a browser.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_WHOLE_FILE = re.compile(r"^pytestmark = (\[[^\]]*)?pytest\.mark\.slow", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file in which all is slow is not even read, for what it imports takes seconds."""
    if config.getoption("markexpr") == "not slow" and collection_path.suffix == ".py":
        return bool(_WHOLE_FILE.search(collection_path.read_text(encoding="utf-8"))) or None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first.

    A file stays in one process, and one that took a minute would keep only that one busy at the
    end.
    """
    slow = set()
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
        if item.get_closest_marker("slow") is not None:
            slow.add(item.path)
    items.sort(key=lambda item: item.path not in slow)
