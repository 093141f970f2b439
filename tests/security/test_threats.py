"""docs/threats.md: each promise names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_the_tests_that_it_names_are_there() -> None:
    text = (REPOSITORY / "docs" / "threats.md").read_text(encoding="utf-8")
    named = _TEST.findall(text)
    assert named
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (REPOSITORY / file).is_file()
        or f"\ndef {name}(" not in (REPOSITORY / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_each_kind_of_attacker_has_a_test() -> None:
    text = (REPOSITORY / "docs" / "threats.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [part.splitlines()[0] for part in parts if not _TEST.search(part)] == []
