"""What a run tells of the tests that it left out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from optional import left_out, module, needs


def skipped(node: str, why: str) -> pytest.TestReport:
    place = (node.partition("::")[0], 1, f"Skipped: {why}")
    return pytest.TestReport(node, (place[0], 0, ""), {}, "skipped", place, "setup")


def test_each_reason_once_with_how_many_tests_it_left_out() -> None:
    chromium, codec = "needs chromium: apt-get install chromium", "needs av: pip install '.[video]'"
    reports = [skipped(f"tests/test_a.py::test_{n}", chromium) for n in range(3)]
    # A file is reported by each process that reads it.
    reports += [skipped("tests/test_b.py", codec)] * 2 + [skipped("tests/test_c.py::test", codec)]
    assert left_out(reports) == [f"1 test, 1 file: {codec}", f"3 tests: {chromium}"]
    assert left_out([]) == []


def test_a_module_that_is_missing_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(pytest.skip.Exception, match=r"^needs rawpy: pip install '\.\[raw\]'$"):
        module("rawpy")


def test_what_is_there_leaves_nothing_out() -> None:
    assert needs("/usr/bin/chromium", "chromium").args == (False,)
    assert needs(None, "chromium").kwargs == {"reason": "needs chromium"}


@pytest.mark.slow
def test_all_say_what_they_need_in_the_same_way() -> None:
    """No test is left out but by what `optional` has for it."""
    for file in Path(__file__).parents[1].rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("skipif", "importorskip"), file
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("pytest.skip", "pytest.mark.skip"), file
