"""Text in photos: read by the real reader, kept, and found in spite of misread letters."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from shell import REPOSITORY, Shell, message

from index import Catalogue
from index.catalogue.readings import reading
from photosearch import Library
from photosearch.ocr.reader import TextReader
from photosearch.ocr.run import TextRead, read_text

pytestmark = pytest.mark.slow


def sign(path: Path, *lines: str) -> Path:
    # A square: the reader enlarges what is narrow, and takes several times as long.
    image = Image.new("RGB", (440, 440), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(44)
    for number, line in enumerate(lines):
        draw.text((40, 50 + 90 * number), line, fill="black", font=font)
    image.save(path)
    return path


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    folder = tmp_path / "signs"
    folder.mkdir()
    sign(folder / "one.png", "Grand Hotel", "Budapest")
    sign(folder / "two.png", "Invoice 4711")
    shutil.copyfile(folder / "two.png", folder / "copy.png")
    Image.new("RGB", (240, 240), "teal").save(folder / "plain.png")
    return folder


def test_text_in_photos_is_read_once_and_found(shell: Shell, signs: Path) -> None:
    shell("index", signs)
    assert shell("search", '"invoice"').returncode == 1
    result = shell("ocr")
    assert result.returncode == 0, result.stderr
    assert b"Looked for text in 3 photos and found some in 2; 0 could not" in result.stdout
    assert b"in 0 photos" in shell("ocr").stdout

    def names(text: str) -> set[str]:
        found = shell("search", "-0", text).stdout.decode().split("\0")
        return {Path(path).name for path in found if path}

    assert names('"invoice"') == names("a sheet of paper words:4711") == {"two.png", "copy.png"}
    assert names('"grand hotl"') == names('"BUDAPESZT"') == {"one.png"}
    assert names("type:png -words:hotel") == {"two.png", "copy.png", "plain.png"}
    with Library.open(shell.library, readonly=True) as library:
        (hit,) = library.search('"budapest"')
        assert library.texts.of(hit.photo_id) == "Grand Hotel\nBudapest"


def test_what_was_read_stays_with_the_bytes(tmp_path: Path, tiny_bundle: Path, signs: Path) -> None:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([signs], workers=1):
            pass
        run = library.texts.read()
        for event in run:
            if isinstance(event, TextRead):
                break
        run.close()
        for _ in library.texts.read():
            pass
        (signs / "one.png").rename(signs / "moved.png")
        sign(signs / "two.png", "Other words now")
        for _ in library.index([signs], workers=1):
            pass
        assert [Path(hit.path).name for hit in library.search('"hotel"')] == ["moved.png"]
        assert [Path(hit.path).name for hit in library.search('"invoice"')] == ["copy.png"]
        library.forget(signs)
        for _ in library.index([signs], workers=1):
            pass
        assert library.search('"hotel"') == []


def test_a_photo_that_is_gone_costs_only_itself(
    tmp_path: Path, tiny_bundle: Path, signs: Path
) -> None:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([signs], workers=1):
            pass
    (signs / "one.png").unlink()
    with Catalogue.open(tmp_path / "library") as catalogue:
        events = list(read_text(catalogue, TextReader))
        assert catalogue.readings.counts() == (3, 2)
    assert [type(event).__name__ for event in events][1:].count("TextFailed") == 1


def test_misread_words_are_found(tmp_path: Path, tiny_bundle: Path, signs: Path) -> None:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([signs], workers=1):
            pass
    with Catalogue.open(tmp_path / "library") as catalogue:
        contents = [content for content, _ in catalogue.readings.unread()]
        catalogue.readings.put(
            dict(zip(contents, ("Café zum Löwen", "restaurant an der ecke", ""), strict=True))
        )
        cafe, restaurant, _ = contents

        def found(text: str) -> list[int]:
            return reading(catalogue._connection, text)

        for text in ("cafe", "CAFÉ ZUM", "löwem", "lowen", "zum lowen", "afé"):
            assert found(text) == [cafe], text
        for text in ("restaurant", "restorant", "restaurnt an", "estauran", "ecke", "der eckc"):
            assert found(text) == [restaurant], text
        for text in ("zun", "lowen zum", "cafe lowen", "restaroaunt x", "ek", '"', "", "OR"):
            assert found(text) == [], text


def test_without_the_extra_it_says_what_to_install(shell: Shell, signs: Path) -> None:
    shell("index", signs)
    hidden = shell.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'rapidocr' else find(name, *a)\n"
    )
    assert "photosearch[ocr]" in message(
        shell("ocr", PYTHONPATH=f"{hidden}{os.pathsep}{REPOSITORY}"), 2
    )
