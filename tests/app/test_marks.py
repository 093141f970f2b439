"""Ratings and keywords of the user's own, as a program has them and by commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import photo_metadata as make
import pytest
from photo_metadata import bag, jpeg, xmp
from PIL import Image
from shell import Shell, message

from photosearch import Filters, Library, Mark, UsageError

pytestmark = pytest.mark.slow


def make_photos(folder: Path) -> Path:
    """Two photos, of which the first has a sidecar with stars and keywords."""
    folder.mkdir()
    make.write(folder / "a.jpg", jpeg())
    make.write(folder / "b.jpg", jpeg(Image.new("RGB", (48, 32), (20, 30, 200))))
    body = bag("dc:subject", "sea", "Rome")
    make.write(folder / "a.jpg.xmp", xmp(body, 'xmp:Rating="2"'))
    return folder


@pytest.fixture(scope="module")
def indexed(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marks")
    photos = make_photos(folder / "photos")
    with Library.open(folder / "library", model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
    return folder


@pytest.fixture
def library(indexed: Path, tiny_bundle: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(indexed / "library", tmp_path / "library")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library


def ids(library: Library) -> list[int]:
    return sorted(one.id for one in library.photos.browse())


def found(library: Library, text: str = "", **filters: object) -> list[int]:
    return sorted(hit.photo_id for hit in library.search(text, filters=Filters(**filters)))


def test_everything_sees_what_counts(library: Library) -> None:
    one, two = ids(library)
    library.marks.rate([one, f"photo:{two}"], 4)
    library.marks.tag([two], add=["  Summer\n holiday ", "Places|Rome"])
    library.marks.tag([one], remove=["SEA"])

    assert found(library, rating=4) == [one, two]
    assert found(library, rating=2) == []
    assert found(library, keyword="summer holiday") == [two]
    assert found(library, keyword="Rome") == [one, two]
    assert found(library, '"summer holiday"') == [two]
    assert found(library, keyword="sea") == []
    assert "fact" in [part.kind for part in library.understand("summer holiday").parts]
    about = library.photos.about(two)
    assert about.metadata.keywords == ("Summer holiday", "Places", "Rome", "Places|Rome")
    assert about.mark == Mark(4, ("Summer holiday", "Places|Rome"))
    assert library.marks.keywords("ho") == ["Summer holiday"]

    library.marks.rate([one], None)
    library.marks.clear_keywords([one, two])
    assert found(library, rating=2) == [one]
    assert found(library, keyword="sea") == [one]
    assert library.marks.of([one, two]) == {two: Mark(4)}


def test_a_change_is_undone(library: Library) -> None:
    one, two = ids(library)
    library.marks.tag([one], add=["new"], remove=["sea"])
    before = library.marks.of([one, two])
    library.marks.rate([one, two], 0)
    library.marks.tag([one, two], remove=["new", "Rome"])
    assert found(library, rating=0) == [one, two]
    library.marks.put({two: Mark()} | before)
    assert library.marks.of([one, two]) == before == {one: Mark(None, ("new",), ("sea",))}
    assert found(library, rating=2) == [one]


def test_marks_stay_when_the_folder_is_forgotten_or_read_again(
    library: Library, indexed: Path
) -> None:
    one, _ = ids(library)
    library.marks.rate([one], 5)
    library.forget(indexed / "photos")
    for _ in library.index([indexed / "photos"], workers=1):
        pass
    assert [library.photos.about(each).metadata.rating for each in found(library, rating=5)] == [5]


def test_marks_go_along_when_a_library_is_exported(
    library: Library, tiny_bundle: Path, tmp_path: Path
) -> None:
    one, _ = ids(library)
    given = Mark(5, ("new",), ("sea",))
    library.marks.put({one: given})
    library.export(tmp_path / "library.zip")
    Library.import_from(tmp_path / "library.zip", tmp_path / "other", model=tiny_bundle)
    with Library.open(tmp_path / "other", model=tiny_bundle) as other:
        assert other.marks.of([one]) == {one: given}
        assert found(other, keyword="new") == [one]


@pytest.mark.parametrize("word", ["", "  ", "|", "a\x07b", "a\ud800", "x" * 201, "a|" + "y" * 200])
def test_keywords_that_are_none(library: Library, word: str) -> None:
    with pytest.raises(UsageError, match="the keyword"):
        library.marks.tag(ids(library), add=[word])


def test_what_cannot_be_marked(library: Library, indexed: Path) -> None:
    one, _ = ids(library)
    for stars in (-1, 6, True):
        with pytest.raises(UsageError, match="give 0 to 5 stars"):
            library.marks.rate([one], stars)
    with pytest.raises(UsageError, match="no photo of the id 4711"):
        library.marks.rate([one, 4711], 3)
    with pytest.raises(UsageError, match="no photo at"):
        library.marks.tag([indexed / "photos" / "c.jpg"], add=["sea"])
    with pytest.raises(UsageError, match="more than 1000 keywords"):
        library.marks.tag([one], add=map(str, range(1001)))
    assert library.marks.of([one]) == {}


def test_a_photo_that_has_been_damaged(tiny_bundle: Path, tmp_path: Path) -> None:
    photos = make_photos(tmp_path / "photos")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
        (photos / "a.jpg").write_bytes(b"no picture")
        for _ in library.index([photos], workers=1):
            pass
        with pytest.raises(UsageError, match=r"a\.jpg: its bytes are not known"):
            library.marks.rate([photos / "a.jpg"], 3)


def test_commands(shell: Shell, tmp_path: Path) -> None:
    photos = make_photos(tmp_path / "photos")
    assert "Nothing is indexed yet" in message(shell("rate", "1", "--stars", "3"), 1)
    shell("index", photos)

    done = shell("rate", photos / "a.jpg", photos / "b.jpg", "--stars", "4")
    assert done.stdout.decode() == "Gave 2 photos 4 stars.\n"
    done = shell("tag", photos / "a.jpg", "--add", "Places|Lido", "--remove", "sea", "--json")
    (said,) = json.loads(done.stdout)["photos"]
    assert said["metadata"]["keywords"] == ["Rome", "Places", "Lido", "Places|Lido"]
    assert said["mark"] == {"stars": 4, "added": ["Places|Lido"], "removed": ["sea"]}
    shown = shell("show", photos / "a.jpg").stdout.decode()
    assert "Rating    ****\n" in shown
    assert "Keywords  Rome, Places, Lido\n" in shown
    assert shell("search", "--rating", "4", "-0").stdout.count(b"\0") == 2

    assert shell("rate", photos / "a.jpg", "--clear").returncode == 0
    done = shell("tag", photos / "a.jpg", "--clear", "--json")
    (said,) = json.loads(done.stdout)["photos"]
    assert said["mark"] == {"stars": None, "added": [], "removed": []}
    assert (said["metadata"]["rating"], said["metadata"]["keywords"]) == (2, ["sea", "Rome"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rate", "--stars", "3"), "Missing argument 'PHOTO...'"),
        (("rate", "1"), "Give the stars, as in --stars 4, or --clear."),
        (("rate", "1", "--stars", "3", "--clear"), "Give the stars"),
        (("rate", "1", "--stars", "6"), "6 is not in the range"),
        (("tag", "1"), "Give a keyword"),
        (("write-sidecars",), "Give photos or folders, or --all."),
        (("write-sidecars", "1", "--all"), "Give photos or folders, or --all."),
    ],
)
def test_commands_that_ask_for_nothing(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    assert told in message(shell(*arguments), 2)
