"""`.photosearchignore`: what it leaves out, judged by git, and what that means for a library."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from optional import needs_git

from photosearch import Failed, Finished, Library, Recognised, UsageError
from photosearch.indexing.ignore import NAME
from photosearch.indexing.scan import Found, Unreadable, resolve_roots, scan

# Each set of files is judged by git on the same tree.
TREE = (
    "a.jpg",
    "a.png",
    "b/a.jpg",
    "b/c/a.jpg",
    "b/c/keep.jpg",
    "c/a.jpg",
    "c/b/d/a.jpg",
    "keep.jpg",
    "two words.jpg",
    "#1.jpg",
    "!2.jpg",
    "[x].jpg",
    "back\\slash.jpg",
    "café.jpg",
    "line\nbreak.jpg",
    "line\nbreak/a.jpg",
    "IMG_0001.JPG",
)
RULES: tuple[dict[str, str], ...] = (
    {"": "*.png"},
    {"": "b/\n# a comment\n\n"},
    {"": "/a.jpg\n"},
    {"": "*.jpg\n!keep.jpg"},
    {"": "b/*\n!b/c/\n!b/c/keep.jpg"},
    {"": "b\n!b/c/keep.jpg"},
    {"": "*\n!*/\n!keep.jpg"},
    {"": "c/**/a.jpg"},
    {"": "**/c"},
    {"": "b/**"},
    {"": "/*\n!/b"},
    {"": "\\#1.jpg\n\\!2.jpg\n\\[x\\].jpg"},
    {"": "two words.jpg   \r\n"},
    {"": "back\\\\slash.jpg"},
    {"": "caf*.jpg"},
    {"": "line?break.jpg"},
    {"": "line*/a.jpg"},
    {"": "img_*"},
    {"": "IMG_[0-9]*.JPG"},
    {"": "a.jpg", "b": "!a.jpg"},
    {"": "!a.jpg", "b": "a.jpg"},
    {"": "c/", "c": "!a.jpg"},
    {"b": "/c"},
    {"b": "c/a.jpg", "b/c": "!a.jpg\nkeep.jpg"},
    {"": "*.jpg", "c": "!b/", "c/b": "!*"},
)


def make(root: Path, names: tuple[str, ...] = TREE) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    return root


def found(root: Path) -> set[str]:
    items = list(scan(str(root)))
    assert all(isinstance(item, Found) for item in items), items
    return {os.path.relpath(item.path, root) for item in items}


@needs_git
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: repr(rules)[:40])
def test_git_agrees(tmp_path: Path, rules: dict[str, str]) -> None:
    photos = make(tmp_path / "photos")
    for folder, text in rules.items():
        for name in (NAME, ".gitignore"):
            with open(photos / folder / name, "w", encoding="utf-8", newline="") as file:
                file.write(text)

    def git(*arguments: str) -> bytes:
        settings = ["-c", "core.excludesFile=", "-c", "core.ignoreCase=false"]
        return subprocess.run(
            ["git", *settings, *arguments], cwd=photos, capture_output=True, check=True, timeout=60
        ).stdout

    git("init", "--quiet")
    listed = git(
        "ls-files", "-z", "--others", "--exclude-standard", "--", "*.jpg", "*.png", "*.JPG"
    )
    expected = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    assert found(photos) == expected
    # And the rules above a folder hold where the scan starts below.
    for folder in ("b", "c/b"):
        within = {name[len(folder) + 1 :] for name in expected if name.startswith(f"{folder}/")}
        assert found(photos / folder) == within


def test_names_that_are_not_text(tmp_path: Path) -> None:
    for name in (b"caf\xe9 1.jpg", b"caf\xe9 2.jpg", b"other.jpg"):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb"):
            pass
    (tmp_path / NAME).write_bytes(b"\xef\xbb\xbfcaf\xe9*\r\n")
    assert found(tmp_path) == {"other.jpg"}


def test_a_single_picture_is_left_out_too(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / NAME).write_text("b/c/\n", encoding="utf-8")
    photo = tmp_path / "b" / "c" / "a.jpg"
    assert list(scan(str(photo))) == []
    with pytest.raises(UsageError, match=rf"c/a\.jpg: is left out by {tmp_path}/\{NAME}"):
        resolve_roots([photo])
    with pytest.raises(UsageError, match="is left out by"):
        resolve_roots([tmp_path / "b" / "c"])
    # Known from before, it is no mistake.
    assert resolve_roots([photo], known=[str(photo)]) == [str(photo)]


def test_a_line_that_is_no_pattern_is_told_and_the_others_hold(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / NAME).write_text("*.png\n!\n[[:alpha:]]x\n*.JPG\n[z-a]\n", encoding="utf-8")
    items = list(scan(str(tmp_path)))
    told = [item for item in items if isinstance(item, Unreadable)]
    assert told == [
        Unreadable(str(tmp_path / NAME), f"line {number} is not a pattern that can be used: {line}")
        for number, line in ((2, "!"), (3, "[[:alpha:]]x"), (5, "[z-a]"))
    ]
    assert {os.path.splitext(item.path)[1] for item in items if isinstance(item, Found)} == {".jpg"}


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_holds_no_rules(tmp_path: Path, kind: str) -> None:
    make(tmp_path, ("a.jpg",))
    (os.mkdir if kind == "folder" else os.mkfifo)(tmp_path / NAME)
    assert found(tmp_path) == {"a.jpg"}


def test_where_the_rules_cannot_be_read_nothing_is_taken(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "b" / NAME).symlink_to(NAME)  # to itself
    items = list(scan(str(tmp_path)))
    (told,) = (item for item in items if isinstance(item, Unreadable))
    assert told.path == str(tmp_path / "b")
    assert told.reason.startswith(f"{NAME}: ")
    below = f"{tmp_path / 'b'}{os.sep}"
    assert not [item for item in items if item.path.startswith(below)]
    assert {item.path for item in items if isinstance(item, Found)} > {str(tmp_path / "a.jpg")}
    (inside,) = scan(str(tmp_path / "b" / "c"))
    assert isinstance(inside, Unreadable)
    assert str(tmp_path / "b" / NAME) in inside.reason
    (tmp_path / "b" / NAME).unlink()
    (tmp_path / "b" / NAME).write_bytes(b"#" * (1 << 20) + b"\n")
    assert [i.reason for i in scan(str(tmp_path / "b"))] == [f"{NAME}: is larger than 1 MB"]


def shown(library: Library) -> set[str]:
    return {os.path.basename(hit.path) for hit in library.search("a cat", limit=100)}


def test_photos_that_are_left_out_later_are_hidden_and_come_back_as_they_were(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(library.index([photos], workers=1))
    everything = shown(library)
    ids = {hit.photo_id for hit in library.search("a cat", limit=100)}

    def refuse(*_: object) -> None:
        raise AssertionError("a picture is encoded")

    monkeypatch.setattr(library.models.encoder, "encode_pixels", refuse)
    (photos / NAME).write_text("*.jpg\nc*\n!coffee.png\n", encoding="utf-8")
    *_, last = library.index([photos], workers=1)
    assert isinstance(last, Finished)
    assert (last.indexed, last.unchanged, last.missing) == (0, 2, 4)
    assert shown(library) == {"astronaut.png", "coffee.png"}
    (photos / NAME).unlink()
    events = list(library.index([photos], workers=1))
    assert not any(isinstance(event, Recognised) for event in events)
    assert shown(library) == everything
    assert {hit.photo_id for hit in library.search("a cat", limit=100)} == ids


def test_problems_that_are_left_out_leave_the_list(library: Library, photos: Path) -> None:
    (photos / "empty.jpg").touch()
    (photos / NAME).write_text("!\n", encoding="utf-8")
    events = list(library.index([photos], workers=1))
    assert {event.path for event in events if isinstance(event, Failed)} == {
        str(photos / "empty.jpg"),
        str(photos / NAME),
    }
    (photos / NAME).write_text("empty*\n", encoding="utf-8")
    list(library.index([photos], workers=1))
    assert library.status().problems == []


@pytest.mark.slow
def test_a_known_folder_that_is_left_out_is_hidden(library: Library, photos: Path) -> None:
    private = photos / "private"
    private.mkdir()
    shutil.move(photos / "coffee.png", private / "coffee.png")
    list(library.index([private], workers=1))
    list(library.index([photos], workers=1))
    assert "coffee.png" in shown(library)
    (photos / NAME).write_text("/private/\n", encoding="utf-8")
    list(library.index(workers=1))
    assert shown(library) == {path.name for path in photos.glob("*.*")} - {NAME}
