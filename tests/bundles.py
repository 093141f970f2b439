"""Bundles that are changed, and the messages that opening them then gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photosearch.encoders import Bundle
from photosearch.errors import BundleError


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Rewrite bundle.json after `edit`."""
    path = folder / "bundle.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    edit(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def refused(folder: Path, name: str, *, verify: bool = True) -> str:
    """The one-line message that opening the bundle gives, which names the file and its place."""
    with pytest.raises(BundleError, match=re.escape(str(folder / name))) as caught:
        Bundle.open(folder, verify=verify)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message
