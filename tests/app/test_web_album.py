"""Web albums: valid pages whose links lead somewhere, and that say no more than they should."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from optional import module
from PIL import Image
from PIL.ImageCms import ImageCmsProfile
from videos import video

from index import Place
from photosearch import Library
from photosearch.errors import UsageError
from photosearch.indexing.formats.colour import srgb_profile
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.folder import FolderError, is_empty, new_folder
from photosearch.sharing.order import Order
from photosearch.sharing.wanted import Shared, Wanted, shared
from photosearch.sharing.web_album import Look
from photosearch.ui.scripts import texts

pytestmark = pytest.mark.slow

NASTY = """</title><script>alert("1")</script> & 'us' \x07"""
NAMES = ("plain.png", "a b#c?d%41.png", "A B#C?D%41.PNG", 'q"uo<te>&.png', "Äpfel.png")
_VOID = {"meta", "link", "img", "path"}


class Checked(HTMLParser):
    """A page read strictly: each element is closed where it was opened, no attribute twice."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>\n<html lang=")
        self.feed(text)
        self.close()
        assert self.open == []
        names = [tag for tag, _ in self.tags]
        for once in ("title", "h1", "main", "body"):
            assert names.count(once) == 1, (path, once)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), attrs
        self.tags.append((tag, given))
        self.links += [link for name in ("href", "src", "poster") if (link := given.get(name))]
        if tag == "img":
            assert given["alt"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, tag  # HTML knows no such thing
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> list[Shared]:
    """Photos with names that mean something to browsers, and a video."""
    module("av")
    place = tmp_path_factory.mktemp("web")
    folder = place / "photos"
    for number, name in enumerate(NAMES):
        path = folder / str(number) / name
        path.parent.mkdir(parents=True)
        Image.new("RGB", (900, 300 + 100 * number), (number * 40, 90, 90)).save(path, "PNG")
    video(folder / "clip.mp4", codec="libx264")
    with Library.open(place / "library", model=tiny_bundle) as library:
        list(library.index([folder]))
        found = shared(library, [one.id for one in library.photos.newest(100)])
    found.sort(key=lambda one: one.photo.path)
    rome = Place("Rome", "Lazio", "Italy")
    told = [
        replace(found[0].metadata, caption=NASTY, place=rome, taken_at="2019-06-01T14:30:05"),
        replace(found[1].metadata, place=rome, latitude=41.89, longitude=12.48, taken_at="2018"),
    ]
    return [Shared(one.photo, new) for one, new in zip(found, told, strict=False)] + found[2:]


@pytest.fixture(scope="module")
def pool() -> Iterator[Shrinkers]:
    pool = Shrinkers(2)
    yield pool
    pool.close()


def look(**shows: bool) -> Look:
    return Look(title=NASTY, language="de", words=texts()["de"], **shows)


def album(given: list[Shared], pool: Shrinkers, folder: Path, **shows: bool) -> Order:
    order = Order(given, Wanted(jpeg=True, side=400), look(**shows))
    folder.mkdir()
    list(order.written(pool, folder))
    return order


def pages(folder: Path) -> dict[str, Checked]:
    return {path.relative_to(folder).as_posix(): Checked(path) for path in folder.rglob("*.html")}


def test_pages_are_valid_and_all_links_lead_to_files_of_the_album(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    album(given, pool, folder)
    found = pages(folder)
    assert found.keys() == {"index.html", *(f"pages/000{number}.html" for number in range(1, 7))}
    linked = set()
    for name, page in found.items():
        for link in page.links:
            assert not re.match(r"[a-z]+:|/", link), link
            aim = Path(os.path.normpath(folder / Path(name).parent / unquote(link)))
            assert aim.is_file(), (name, link)
            linked.add(aim)
        assert [tag for tag, _ in page.tags].count("script") == 1
        (language,) = (given["lang"] for tag, given in page.tags if tag == "html")
        assert language == "de"
    every = {path for path in folder.rglob("*") if path.is_file()}
    assert every - linked <= {folder / "index.html"}
    assert "".join(found["index.html"].said).count(NASTY.rstrip("\x07")) == 2
    # Each goes on to the next, and back to all.
    steps = [
        {given["rel"]: given["href"] for tag, given in page.tags if tag == "a" and "rel" in given}
        for _, page in sorted(found.items())[1:]
    ]
    assert [one.get("next") for one in steps] == [*(f"000{n}.html" for n in range(2, 7)), None]
    assert [one.get("prev") for one in steps] == [None, *(f"000{n}.html" for n in range(1, 6))]
    assert {one["up"] for one in steps} == {"../index.html"}
    with Image.open(folder / "photos" / "plain.jpg") as image:
        assert image.size == (400, 133)
    (clip,) = (given for tag, given in found["pages/0006.html"].tags if tag == "video")
    assert clip["src"] == "../photos/clip.mp4"


def test_an_album_says_what_it_was_told_to_say(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    def said(folder: str, **shows: bool) -> str:
        album(given, pool, tmp_path / folder, **shows)
        for path in (tmp_path / folder).rglob("*.jpg"):
            assert b"Rom" not in path.read_bytes()
        return "\n".join(
            path.read_text(encoding="utf-8") for path in (tmp_path / folder).rglob("*.html")
        )

    usual = said("usual")
    assert 'datetime="2019-06-01T14:30"' in usual
    assert 'datetime="2018"' in usual
    assert "us&#x27;" in usual
    assert "Rome" not in usual
    assert "41.89" not in usual
    more = said("more", places=True, dates=False, captions=False)
    assert "Rome, Italy" in more
    assert "<time" not in more
    assert more.count("us&#x27;") == usual.count("<title>") + 1  # the album's own title


def test_what_cannot_be_read_is_not_in_it(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    gone = replace(given[1].photo, path=given[1].photo.path + ".gone")
    order = album([given[0], Shared(gone, given[1].metadata), *given[2:]], pool, tmp_path / "a")
    assert [path for path, _ in order.tally.left_out] == [gone.path]
    assert len(pages(tmp_path / "a")) == 6
    assert texts()["de"]["webalbum.photos"].replace("{count}", "5") in "".join(
        pages(tmp_path / "a")["index.html"].said
    )


def test_when_it_is_stopped_it_is_an_album_of_those_that_are_done(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    order = Order(
        given, Wanted(jpeg=True, side=400), look(), stopped=lambda: order.tally.files == 2
    )
    list(order.written(pool, tmp_path))
    assert pages(tmp_path).keys() == {"index.html", "pages/0001.html", "pages/0002.html"}


def test_nothing_is_left_of_one_that_cannot_be_finished(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    folder = new_folder(tmp_path, "Summer: 2019")
    assert folder.name == "Summer_ 2019"
    assert new_folder(tmp_path, "Summer: 2019").name == "Summer_ 2019 (2)"
    writing = Order(given, Wanted(jpeg=True, side=400), look()).written(pool, folder)
    for _ in range(4):
        next(writing)
    # Nobody sees half of it.
    assert not list(folder.iterdir())
    (draft,) = tmp_path.glob(".photosearch-*.part")
    # As a disk that goes away: what comes next cannot be written.
    (draft / "photos").rename(draft / "away")
    (draft / "photos").write_text("in the way")
    with pytest.raises(FolderError, match=r"2019: .*make room, or choose another folder"):
        list(writing)
    assert [path.name for path in tmp_path.iterdir()] == ["Summer_ 2019 (2)"]


def test_what_comes_into_its_folder_meanwhile_stays(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    folder = new_folder(tmp_path, "Summer")
    writing = Order(given[:1], Wanted(jpeg=True, side=400), look()).written(pool, folder)
    next(writing)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match="Summer: Directory not empty; choose another folder"):
        list(writing)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["Summer"]


def test_whoever_stands_in_its_folder_sees_it(
    given: list[Shared], pool: Shrinkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_folder(tmp_path, "Summer")
    monkeypatch.chdir(folder)
    # As in the root of a drive, beside which nothing can be: it is hidden until it is whole.
    writing = Order(given[:1], Wanted(jpeg=True, side=400), look()).written(pool, folder)
    next(writing)
    (draft,) = folder.iterdir()
    assert draft.name.startswith(".photosearch-")
    assert is_empty(folder)
    list(writing)
    assert Path("index.html").is_file()
    assert not draft.exists()
    # What is there already is not touched, and nothing of another stays.
    before = sorted(folder.rglob("*"))
    writing = Order(given[:2], Wanted(jpeg=True, side=400), look()).written(pool, folder)
    next(writing)
    writing.close()
    with pytest.raises(FolderError, match="Summer: File exists; choose another folder"):
        list(Order(given[:2], Wanted(jpeg=True, side=400), look()).written(pool, folder))
    assert sorted(folder.rglob("*")) == before


def test_the_page_with_all_photos_comes_last(
    given: list[Shared], pool: Shrinkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moved, rename = [], os.rename

    def noted(source: Path, target: Path) -> None:
        moved.append(Path(target).name)
        rename(source, target)

    writing = Order(given[:1], Wanted(jpeg=True, side=400), look()).written(pool, tmp_path)
    next(writing)
    monkeypatch.setattr("photosearch.sharing.folder.os.rename", noted)
    list(writing)
    assert moved[-1] == "index.html"
    assert len(moved) == len(list(tmp_path.iterdir()))


def test_the_same_photos_give_the_same_album(
    given: list[Shared], pool: Shrinkers, tmp_path: Path
) -> None:
    """Also in another process, at another time: the profile in a JPEG would say when."""
    profile = srgb_profile()
    assert (profile[24:36], profile[84:100]) == (bytes(12), bytes(16))
    assert ImageCmsProfile(io.BytesIO(profile)).profile.profile_description.startswith("sRGB")
    first, second = (new_folder(tmp_path, "Summer") for _ in range(2))
    for folder in (first, second):
        list(Order(given[:2], Wanted(jpeg=True, side=400), look()).written(pool, folder))
    names = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(names) == 9
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_album_is_of_jpegs() -> None:
    with pytest.raises(UsageError, match="a web album is of JPEGs"):
        Order([], Wanted(), look())
