"""What the pages say: the same in each language, and nothing that is asked for is missing."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from photosearch.ui.scripts import MESSAGES, STATIC, STYLES, TEXTS, styles, texts

# Words that are the same as in English, by language.
SAME = {
    "de": {
        "Album",
        "Esc",
        "Filter",
        "Format",
        "JPEG",
        "Name",
        "Panorama",
        "Pause",
        "Person",
        "Text",
        "Video",
        "Videos",
        "Zip",
    },
    "fr": {
        "Album",
        "Albums",
        "Catalogue",
        "Ctrl",
        "Date",
        "Format",
        "JPEG",
        "Panorama",
        "Pause",
        "Photo",
        "Photos",
        "Portrait",
        "Suggestions",
        "Type",
        "album",
        "date",
        "{count} h {minutes} min",
        "{count} minutes",
        "{count} photos",
        "{count} question",
        "{count} questions",
        "{count} suggestions",
        "{side} pixels",
        "Zip",
    },
    "es": {"Ctrl", "Esc", "JPEG", "No", "Zip", "{count} h {minutes} min"},
}


def test_each_language_says_all_with_the_same_values() -> None:
    every = texts()
    assert set(every) == {path.stem for path in TEXTS.glob("*.json")} == {"en", "de", "fr", "es"}
    for language, said in every.items():
        assert said.keys() == every["en"].keys(), language
        for key, text in said.items():
            # A text for one photo may have its number in it: in French there may be none.
            free = {"{count}"} if key.endswith(".one") else set()
            values = [_values(each) - free for each in (text, every["en"][key])]
            assert values[0] == values[1], (language, key)
            assert bool(text) == bool(every["en"][key]), (language, key)


def _values(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def test_no_text_is_left_in_english() -> None:
    every = texts()
    for language in every.keys() - {"en"}:
        same = {text for key, text in every[language].items() if text == every["en"][key]}
        wrong = {text for text in same if re.search(r"[A-Za-z]{2}", re.sub(r"\{\w+\}", "", text))}
        assert wrong <= SAME[language], language


def test_french_has_narrow_spaces_before_its_signs_and_round_apostrophes() -> None:
    said = [*texts()["fr"].values(), *(one for _, _, one in _messages("fr"))]
    for text in said:
        # What is typed, as rating>=4 and pip install, is no French.
        words = re.sub(r"pip install .*", "", text)
        assert not re.search(r"[ \u00a0][:;!?%»]|«(?!\u202f)|[^\W_][;!?%»]|[\w}]'\w", words), text


def test_spanish_opens_what_it_closes() -> None:
    for key, text in texts()["es"].items():
        assert text.count("¿") == text.count("?"), key
        assert text.count("¡") == text.count("!"), key


def _messages(language: str) -> Iterator[tuple[str, str, str]]:
    every = json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
    for kind, sentences in every.items():
        for english, said in sentences.items():
            yield kind, english, said


def test_each_language_has_the_same_messages_of_the_server() -> None:
    languages = texts().keys() - {"en"}
    assert languages == {path.stem for path in MESSAGES.glob("*.json")}
    known = {language: [one[:2] for one in _messages(language)] for language in languages}
    assert all(one == known["de"] for one in known.values())
    for language in languages:
        for _, english, said in _messages(language):
            values = [set(re.findall(r"\{(\d)", each)) for each in (said, english)]
            assert values[0] <= values[1], (language, english)


@pytest.mark.slow
def test_the_server_still_says_what_is_translated() -> None:
    package = TEXTS.parents[1]
    trees = [ast.parse(path.read_text("utf-8")) for path in _sources(package)]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    said = "\n".join(node.value for node in nodes if isinstance(node.value, str))
    said += "\n".join(os.strerror(number) for number in errno.errorcode)
    for kind, english, _ in _messages("de"):
        if kind != "messages":
            continue  # names of filters and their values, and a list of examples
        # A number and its noun are put together, with the plural's s.
        for piece in re.split(r"\{\d\}|;|^1 file(?= could)", english):
            assert piece.strip(" 1;:()").removesuffix("s") in said, english


def _sources(package: Path) -> list[Path]:
    return [*package.rglob("*.py"), *(package.parent / "index").rglob("*.py")]


def test_scripts_ask_for_texts_that_there_are() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    asked = set(re.findall(r'say\("([a-z_.]+)"', code))
    # Of some there is another for narrow screens.
    asked |= {f"{key}_short" for key in re.findall(r'inShort\("([a-z_.]+)"', code)}
    assert len(asked) > 100
    assert asked <= texts()["en"].keys()


def test_the_style_sheet_holds_each_file_of_styles_once() -> None:
    whole = styles()
    for path in (STATIC / "styles").glob("*.css"):
        assert whole.count(path.read_text(encoding="utf-8")) == 1, path.name
    assert all((STATIC / "styles" / f"{name}.css").is_file() for name in STYLES)
