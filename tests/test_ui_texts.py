"""What the pages say: the same in each language, and nothing that is asked for is missing."""

from __future__ import annotations

import re

from photosearch.ui.app import TEXTS, texts
from photosearch.ui.routes import STATIC


def test_each_language_says_all_with_the_same_values() -> None:
    every = texts()
    assert set(every) == {path.stem for path in TEXTS.glob("*.json")} >= {"en", "de"}
    for language, said in every.items():
        assert said.keys() == every["en"].keys(), language
        for key, text in said.items():
            values = [set(re.findall(r"\{\w+\}", each)) for each in (text, every["en"][key])]
            assert values[0] == values[1], (language, key)


def test_scripts_ask_for_texts_that_there_are() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    asked = set(re.findall(r'say\("([a-z_.]+)"', code))
    assert len(asked) > 100
    assert asked <= texts()["en"].keys()
