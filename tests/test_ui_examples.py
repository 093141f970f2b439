"""What the page proposes to search for: found in the library, and kept until that changes."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photosearch import Library
from photosearch.ui.desk import Desk
from photosearch.ui.examples import Examples

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(family: Path, tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(family / "library", tmp_path / "library")
    desk = Desk(tmp_path / "library", None)
    yield desk
    desk.close()


class Idle(Desk):
    """One that must not be asked."""

    async def ask(self, question: Any) -> Any:
        raise AssertionError("examples are looked for")


def best(folder: Path, finder: Desk, clerk: Desk) -> list[str]:
    return asyncio.run(Examples(folder, finder, clerk).best(6))


def test_they_are_found_once_for_all_servers(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    found = best(folder, desk, desk)
    assert {"a flower", "a cat"} <= set(found)
    assert "fireworks" not in found
    assert best(folder, Idle(folder, None), desk) == found


def test_other_photos_have_others(desk: Desk, tmp_path: Path, family: Path) -> None:
    folder = tmp_path / "library"
    best(folder, desk, desk)
    new = tmp_path / "new"
    new.mkdir()
    whole = next(path for path in (family / "photos").rglob("*.jpg") if path.stem != "broken")
    shutil.copy(whole, new / "copy.jpg")
    with Library.open(folder) as library:
        list(library.index([new], workers=1))
    with pytest.raises(AssertionError, match="looked for"):
        best(folder, Idle(folder, None), desk)


@pytest.mark.parametrize("content", ["", "[]", '{"state": 1, "texts": "a cat"}', "\0"])
def test_what_cannot_be_read_is_found_anew(desk: Desk, tmp_path: Path, content: str) -> None:
    folder = tmp_path / "library"
    found = best(folder, desk, desk)
    (folder / "examples.json").write_text(content, encoding="utf-8")
    assert best(folder, desk, desk) == found
    assert json.loads((folder / "examples.json").read_text(encoding="utf-8"))["texts"]


def test_a_library_without_photos_has_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "library", None, new=True)
    assert best(tmp_path / "library", desk, desk) == []
    assert not (tmp_path / "library" / "examples.json").exists()
    desk.close()
