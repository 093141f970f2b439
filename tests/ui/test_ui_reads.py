"""What the page's server reads of the catalogue for one answer."""

from __future__ import annotations

import sqlite3
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from served import served_here

# What only results have.
SCORED = ("score", "moment", "others")


@pytest.mark.slow
def test_a_page_of_results_is_read_once_and_by_one_connection(
    family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, numbers = sqlite3.connect, count()
    asked: list[tuple[int, str]] = []

    def traced(*given: Any, **named: Any) -> sqlite3.Connection:
        raw, number = connect(*given, **named), next(numbers)
        raw.set_trace_callback(lambda sql: asked.append((number, sql)))
        return raw

    monkeypatch.setattr(sqlite3, "connect", traced)
    with served_here(family / "library") as server:
        server.ask("/api/search?q=a+cat")  # opens the library, and its vectors
        asked.clear()
        found = server.ask("/api/search?q=a+cat&everything=true&limit=500").json
        during = list(asked)
        newest = server.ask("/api/newest?limit=500").json
    assert len({number for number, _ in during}) == 1
    assert sum(" path," in sql for _, sql in during) == 1
    assert sum("taken_source" in sql for _, sql in during) == 1
    brief = {
        photo["id"]: {name: photo[name] for name in photo if name not in SCORED}
        for photo in found["hits"]
    }
    assert len(brief) > 10
    assert brief == {photo["id"]: photo for photo in newest["hits"]}
