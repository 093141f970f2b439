"""A library that is open, and empty; and one of which much is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_once import made_once

from photosearch import Library


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library


@pytest.fixture(scope="session")
def plain_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the photos of plain_words.py and their library by the bundled model.

    Not to be changed: copy its library first.
    """
    from plain_words import make_library

    return made_once(tmp_path_factory, "plain words", make_library)
