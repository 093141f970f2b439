"""Stars and keywords of the user's own, kept by the bytes of photos, beside what was read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, KnownFile, Mark, Metadata, NewPhoto
from index.catalogue import migrations
from index.catalogue.conditions import Rated, Tagged
from index.catalogue.marks import counting, remarked
from index.safety.salvage import salvage

FOLDER = os.path.join(os.sep, "photos")
SEA = Metadata(rating=2, keywords=("Sea", "Rome", "Places|Rome", "Places"))


def at(name: str) -> str:
    return os.path.join(FOLDER, name)


def record(catalogue: Catalogue, name: str, metadata: Metadata | None, data: str = "") -> None:
    content = (data or name).encode().ljust(32)
    photo = NewPhoto(at(name), FileStamp(len(data), 1), 4, 3, "JPEG", content, metadata, "read")
    catalogue.record("model", [photo], np.ones((1, 4), np.float32))


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, "1.jpg", SEA)
        record(catalogue, "2.jpg", None)
        yield catalogue


def id_of(catalogue: Catalogue, name: str) -> int:
    found = catalogue.file_at(at(name))
    assert found is not None
    return found.id


def known(catalogue: Catalogue, name: str) -> Metadata:
    number = id_of(catalogue, name)
    return catalogue.metadata([number]).get(number, Metadata())


def mark(catalogue: Catalogue, name: str, mark: Mark) -> None:
    catalogue.marks.put({id_of(catalogue, name): mark})


def holding(catalogue: Catalogue, *conditions: Rated | Tagged) -> list[str]:
    ids = catalogue.selection.ids(conditions)
    return [os.path.basename(one.path) for one in catalogue.photos([int(each) for each in ids])]


def test_marks_count_before_what_was_read_and_can_be_taken_back(catalogue: Catalogue) -> None:
    given = Mark(5, ("Holiday",), ("Sea",))
    mark(catalogue, "1.jpg", given)
    mark(catalogue, "2.jpg", Mark(3))

    number = id_of(catalogue, "1.jpg")
    assert catalogue.marks.of([number, 99]) == {number: given}
    assert known(catalogue, "1.jpg").rating == 5
    assert known(catalogue, "1.jpg").keywords == ("Rome", "Places|Rome", "Places", "Holiday")
    assert holding(catalogue, Rated(3, 5)) == ["1.jpg", "2.jpg"]
    assert holding(catalogue, Tagged("sea")) == []
    assert holding(catalogue, Tagged("holiday")) == ["1.jpg"]
    assert catalogue.marks.read_keywords([number]) == {number: [list(SEA.keywords)]}
    assert catalogue.marks.below(None) == [number, id_of(catalogue, "2.jpg")]
    assert catalogue.marks.below(at("2.jpg")) == [id_of(catalogue, "2.jpg")]

    mark(catalogue, "1.jpg", Mark(0))
    assert (known(catalogue, "1.jpg").rating, known(catalogue, "1.jpg").keywords) == (
        None,
        SEA.keywords,
    )
    mark(catalogue, "1.jpg", Mark())
    mark(catalogue, "2.jpg", Mark())
    assert known(catalogue, "1.jpg") == SEA
    assert known(catalogue, "2.jpg") == Metadata()
    assert catalogue.marks.below(None) == []


def test_marks_stay_when_a_photo_is_read_again(catalogue: Catalogue) -> None:
    mark(catalogue, "1.jpg", Mark(4, ("Holiday",)))
    read = Metadata(rating=1, keywords=("Other",))
    catalogue.record_metadata({at("1.jpg"): (read, "again")})
    assert known(catalogue, "1.jpg") == Metadata(rating=4, keywords=("Other", "Holiday"))

    mark(catalogue, "1.jpg", Mark())
    assert known(catalogue, "1.jpg") == read
    assert catalogue.metadata_states(FOLDER)[at("1.jpg")] == "again"


def test_marks_follow_the_bytes(catalogue: Catalogue) -> None:
    given = Mark(5, ("Holiday",))
    mark(catalogue, "1.jpg", given)

    record(catalogue, "1.jpg", SEA, data="edited")
    assert known(catalogue, "1.jpg").rating == 5
    digest = b"edited".ljust(32)
    catalogue.record_known({KnownFile(at("moved.jpg"), FileStamp(6, 2), digest): at("1.jpg")})
    assert known(catalogue, "moved.jpg").keywords[-1] == "Holiday"
    catalogue.record_known({KnownFile(at("copy.jpg"), FileStamp(6, 2), digest): None})
    assert known(catalogue, "copy.jpg") == known(catalogue, "moved.jpg")

    catalogue.marks.put({id_of(catalogue, "copy.jpg"): Mark(1)})
    assert known(catalogue, "moved.jpg").rating == 1
    catalogue.forget(FOLDER)
    assert catalogue.marks.below(None) == []
    record(catalogue, "back.jpg", None, data="edited")
    assert known(catalogue, "back.jpg").rating == 1


def test_a_photo_that_becomes_a_copy_brings_its_marks_along(catalogue: Catalogue) -> None:
    mark(catalogue, "1.jpg", Mark(4))
    digest = b"2.jpg".ljust(32)
    catalogue.record_known({KnownFile(at("1.jpg"), FileStamp(6, 2), digest): None})
    assert [known(catalogue, name).rating for name in ("1.jpg", "2.jpg")] == [4, 4]


def test_keywords_that_begin_so(catalogue: Catalogue) -> None:
    mark(catalogue, "2.jpg", Mark(added=("Übersee", "old rome", "Places|Rome")))
    words = catalogue.marks.keywords
    assert words("", 10) == ["old rome", "Places", "Rome", "Sea", "Übersee"]
    assert words("RO", 10) == ["Rome", "old rome"]
    assert words("ub", 10) == ["Übersee"]
    assert words("", 2) == ["old rome", "Places"]
    mark(catalogue, "2.jpg", Mark())
    assert words("ub", 10) == []


def test_marks_are_saved_from_a_damaged_catalogue(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, "1.jpg", SEA)
        mark(catalogue, "1.jpg", Mark(5, ("Holiday",), ("Sea",)))
        before = known(catalogue, "1.jpg")
    salvage(tmp_path / "catalogue.db")
    with Catalogue.open(tmp_path) as catalogue:
        assert known(catalogue, "1.jpg") == before
        assert catalogue.marks.of([id_of(catalogue, "1.jpg")]) == {
            id_of(catalogue, "1.jpg"): Mark(5, ("Holiday",), ("Sea",))
        }
        mark(catalogue, "1.jpg", Mark())
        assert known(catalogue, "1.jpg") == SEA


@pytest.mark.of_files("is about a file of an older photosearch")
def test_a_library_of_before_has_no_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        steps = migrations.STEPS[: migrations.STEPS.index(migrations.add_marks)]
        patch.setattr(migrations, "STEPS", steps)
        Catalogue.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as database, database:
        database.execute("INSERT INTO contents (id, digest) VALUES (1, ?)", [b"1".ljust(32)])
        database.execute(
            "INSERT INTO photos (id, path, size, mtime_ns, width, height, format, indexed_at, "
            "content_id) VALUES (1, '/1', 1, 1, 4, 3, 'JPEG', '', 1)"
        )
        database.execute(
            "INSERT INTO metadata (photo_id, rating, keywords) VALUES (1, 2, '[\"sea\"]')"
        )
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.marks.put({1: Mark(5, removed=("SEA",))})
        assert catalogue.metadata([1]) == {1: Metadata(rating=5)}
        catalogue.marks.put({1: Mark()})
        assert catalogue.metadata([1]) == {1: Metadata(rating=2, keywords=("sea",))}


@pytest.mark.parametrize(
    ("read", "mark", "expected"),
    [
        (("a", "b"), Mark(added=("B", "c")), ("a", "b", "c")),
        (("Places", "Rome", "Places|Rome"), Mark(removed=("rome",)), ("Places",)),
        (("Places", "Rome", "Places|Rome"), Mark(removed=("Places|Rome",)), ("Places",)),
        (("Places", "Rome", "Places|Rome"), Mark(removed=("Places",)), ("Rome",)),
        (
            ("Rome", "Places|Rome", "Trips|Rome"),
            Mark(removed=("Places|Rome",)),
            ("Rome", "Trips|Rome"),
        ),
        (("Romeo",), Mark(removed=("Rome",)), ("Romeo",)),
        ((), Mark(added=("Places|Rome",)), ("Places", "Rome", "Places|Rome")),
        (("cafe\u0301",), Mark(removed=("CAF\u00c9",)), ()),
    ],
)
def test_which_keywords_count(read: tuple[str, ...], mark: Mark, expected: tuple[str, ...]) -> None:
    assert counting(read, mark) == expected


def test_who_takes_back_a_change_has_changed_nothing() -> None:
    read = [["Sea", "Places", "Rome", "Places|Rome"]]
    for word in ("Sea", "Rome", "Places|Rome", "new", "new|one", "sea"):
        there = word.casefold() in {one.casefold() for one in read[0]}
        first, second = ([], [word]) if there else ([word], [])
        once = remarked(Mark(4), read, first, second)
        assert once != Mark(4)
        assert remarked(once, read, second, first) == Mark(4)
    # Of two copies one has it.
    assert remarked(Mark(), [["Sea"], []], ["sea"], []) == Mark(added=("sea",))
