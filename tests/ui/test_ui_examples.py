"""What the page proposes to search for: found in the library, and kept until that changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from on_a_thread import run

from photosearch import Library
from photosearch.encoders import Encoder, open_encoder
from photosearch.serving.library_thread import LibraryThread
from photosearch.ui.examples import PHRASES, Examples
from photosearch.words.gloss import gloss

pytestmark = pytest.mark.slow


@pytest.fixture
def thread(family: Path, tmp_path: Path) -> Iterator[LibraryThread]:
    shutil.copytree(family / "library", tmp_path / "library")
    thread = LibraryThread(tmp_path / "library", None)
    yield thread
    thread.close()


class Idle(LibraryThread):
    """One that must not be asked."""

    async def ask(self, question: Any) -> Any:
        raise AssertionError("examples are looked for")


def best(folder: Path, searching: LibraryThread, lookups: LibraryThread) -> list[str]:
    return run(Examples(folder, searching, lookups).best(6))


def test_they_are_found_once_for_all_servers(thread: LibraryThread, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    found = best(folder, thread, thread)
    assert {"a motorcycle", "a cat", "a lion", "a tower"} <= set(found)
    assert len(set(found)) == 6
    assert "fireworks" not in found
    assert best(folder, Idle(folder, None), thread) == found


def test_other_photos_have_others(thread: LibraryThread, tmp_path: Path, family: Path) -> None:
    folder = tmp_path / "library"
    best(folder, thread, thread)
    new = tmp_path / "new"
    new.mkdir()
    whole = next(path for path in (family / "photos").rglob("*.jpg") if path.stem != "broken")
    shutil.copy(whole, new / "copy.jpg")
    with Library.open(folder) as library:
        list(library.index([new], workers=1))
    with pytest.raises(AssertionError, match="looked for"):
        best(folder, Idle(folder, None), thread)


def test_what_cannot_be_read_is_found_anew(thread: LibraryThread, tmp_path: Path) -> None:
    kept = tmp_path / "library" / "examples.json"
    found = best(kept.parent, thread, thread)
    for content in ("", "[]", '{"state": 1, "texts": "a cat"}', "\0"):
        kept.write_text(content, encoding="utf-8")
        assert best(kept.parent, thread, thread) == found, content
        assert json.loads(kept.read_text(encoding="utf-8"))["texts"]


def test_a_library_without_photos_has_none(tmp_path: Path) -> None:
    thread = LibraryThread(tmp_path / "library", None, new=True)
    assert best(tmp_path / "library", thread, thread) == []
    assert not (tmp_path / "library" / "examples.json").exists()
    thread.close()


@pytest.fixture(scope="module")
def english() -> tuple[Encoder, NDArray[np.float32]]:
    """The bundled model, and the vector of each phrase."""
    encoder = open_encoder()
    return encoder, encoder.encode_texts(list(PHRASES))


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_a_translated_example_asks_for_what_was_found(
    language: str, english: tuple[Encoder, NDArray[np.float32]]
) -> None:
    """They are looked for in English, and pressed in the language of the page."""
    encoder, phrases = english
    messages = files("photosearch.ui").joinpath("messages", f"{language}.json")
    told = json.loads(messages.read_text("utf-8"))["examples"]
    assert tuple(told) == PHRASES
    read = [gloss(text, language) for text in told.values()]
    asked = [
        one.texts[0][0] if one else text for one, text in zip(read, told.values(), strict=True)
    ]
    nearest = (encoder.encode_texts(asked) @ phrases.T).argmax(1)
    assert [PHRASES[row] for row in nearest] == list(PHRASES)
