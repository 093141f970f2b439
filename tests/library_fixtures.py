"""A library that is open, and empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photosearch import Library


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library
