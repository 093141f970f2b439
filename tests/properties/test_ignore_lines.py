"""Any line of an ignore file: git agrees on what it names, and no name takes long."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from optional import needs_git

from photosearch.indexing.globs import glob
from photosearch.indexing.ignore import NAME, IgnoreRules

NAMES = ("a", "b", "ab", "a b", "-", "aab")
FILES = [
    *NAMES,
    *(f"{folder}/{name}" for folder in ("d", "a.d", "d/e", "d/e/a.d") for name in NAMES),
]
PIECES = ("a", "b", "d", "e", ".d", "*", "**", "***", "?", "/", "**/", "/**", "\\", " ", "-",
          "[a]", "[!a]", "[^b-d]", "[a-]", "[]a]", "[\\]a]", "[", "!", "#")  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
# Where git itself does not do as its manual says: it cuts off a beginning without stars, and takes
# what follows for the beginning. And a slash in brackets or after a backslash, which names nothing.
_ODD = re.compile(r"[^/*]\*\*+/|/\*\*+[^/*]|^[!/]*\*\*+[^/*]|\[[^]]*/|\[\][^]]*/|\\/")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def left_by_us(root: Path) -> set[str]:
    rules, _ = IgnoreRules().inside(str(root))
    left = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name != ".git" and not rules.decides(os.path.join(folder, name), is_folder=True)
        ]
        paths = (os.path.join(folder, name) for name in files)
        left |= {path for path in paths if not rules.decides(path, is_folder=False)}
    return {os.path.relpath(path, root).replace(os.sep, "/") for path in left} - {
        NAME,
        ".gitignore",
    }


def left_by_git(root: Path) -> set[str]:
    settings = ["-c", "core.excludesFile=", "-c", "core.ignoreCase=false"]
    listed = subprocess.run(
        ["git", *settings, "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True,
    )  # fmt: skip
    return {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name} - {NAME, ".gitignore"}


@pytest.mark.slow
@needs_git
@given(st.lists(LINES.filter(lambda line: not _ODD.search(line)), min_size=1, max_size=3))
@example(["[\\]a]"])
@example(["d/**", "!d/e/"])
@example(["a/", "b\\ "])
@example(["[!a]/a"])
def test_git_agrees(tree: Path, lines: list[str]) -> None:
    for name in (NAME, ".gitignore"):
        (tree / name).write_text("\n".join(lines), encoding="utf-8", newline="")
    assert left_by_us(tree) == left_by_git(tree)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_line_is_read_or_refused(line: str, name: str) -> None:
    try:
        found = glob(line)
    except ValueError:
        return
    if found is not None:
        assert found.fits(name, is_folder=True) in (True, False)


@pytest.mark.parametrize(
    ("line", "again", "end"),
    [
        ("*a*a*a*a*a*a*a*b", "a", "b"),
        ("*" + "?*" * 30 + "b", "a", "b"),
        ("[ab]*" * 30 + "[bc]", "a", "b"),
        ("**/a/" * 20 + "b", "a/", "b"),
        ("**/*a*/" * 20 + "b", "a/", "b"),
        ("*/" * 40 + "**/*a*a*a*b", "a/", "aaab"),
    ],
)
def test_many_stars_take_no_longer_than_the_lengths_allow(line: str, again: str, end: str) -> None:
    """If each star multiplied what there is to try, none of these would ever end."""
    found = glob(line)
    assert found is not None
    name = again * (4000 // len(again))
    assert not found.fits(name, is_folder=True)
    assert found.fits(name + end, is_folder=True)
