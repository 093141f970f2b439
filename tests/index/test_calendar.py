"""The days that are kept between two questions are those that would be counted anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Mark, Metadata, NewPhoto, Place
from index.catalogue import calendar
from index.catalogue.browsing import BrowseBy, groups, members
from index.catalogue.calendar import Calendar
from index.catalogue.months import Reader, Rows

BY: tuple[BrowseBy, ...] = ("month", "place", "camera", "folder", "album")
ROME, OSTIA = Place("Rome", "Lazio", "Italy"), Place("Ostia", "Lazio", "Italy")


def path_of(number: int) -> str:
    return str(Path(f"/photos/{number % 7}/{number}.jpg").absolute())


def record(
    catalogue: Catalogue, number: int, metadata: Metadata, *, width: int = 4, file: int = 0
) -> None:
    digest = (number + 1000 * width).to_bytes(32, "big")
    stamp = FileStamp(1, file or number)
    new = NewPhoto(path_of(number), stamp, width, 3, "JPEG", digest, metadata)
    catalogue.record("model", [new], np.ones((1, 4), np.float32))


def same_as_counted_anew(catalogue: Catalogue) -> bool:
    kept, anew = catalogue.selection.days(), Calendar(catalogue._connection).days()
    assert kept.days == anew.days
    by_query = members(catalogue._connection, None, "", offset=0, limit=10_000)
    assert kept.ids.tolist() == anew.ids.tolist() == by_query
    assert kept.ratios.tolist() == anew.ratios.tolist()
    assert kept.bursts == anew.bursts
    for by in BY:
        told = catalogue.shelves.groups(by)
        counted = groups(catalogue._connection, by)
        assert [(one.key, one.count) for one in told] == [(o.key, o.count) for o in counted]
        for one in told:
            every = members(catalogue._connection, by, one.key, offset=0, limit=10_000)
            assert every[0] == one.cover
            part = catalogue.shelves.members(by, one.key, offset=1, limit=3)
            assert part == every[1:4]
            assert catalogue.shelves.members(by, one.key, limit=10_000) == every
    assert catalogue.shelves.members(offset=7, limit=30) == by_query[7:37]
    for by in BY:
        assert catalogue.shelves.members(by, "what nobody has") == []
    assert sum(one.photos for one in kept.days) == len(kept.ids)
    return True


def _across_months(catalogue: Catalogue) -> bool:
    """Whether a burst is in two months, and so in two parts."""
    found = catalogue.selection.days()
    april = sum(one.photos for one in found.days if one.day == "2019-04-30")
    first = next(
        sum(one.photos for one in found.days[:place])
        for place, one in enumerate(found.days) if one.day == "2019-04-30"
    )  # fmt: skip
    return april > 0 and any(start < first < start + count for start, count in found.bursts)


def dates(random: np.random.Generator) -> str | None:
    """Of all kinds, in few days about the turn of a month, so that there are bursts across it."""
    day, second = ("2019-04-30T23:59", 57) if random.random() < 0.5 else ("2019-05-01T00:00", 0)
    kinds = (None, "2019", "2019-07", "2019-07-01", "2019-07-01T00:00:00", "1985-12-24T18:00:00")
    if random.random() < 0.4:
        return kinds[random.integers(len(kinds))]
    return f"{day}:{second + int(random.integers(3)):02}"


def test_whatever_changes_they_are_what_they_would_be_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    read: list[int] = []
    whole = Reader.read

    def counted(self: Reader, ids: Sequence[int] | None = None) -> Rows:
        rows = whole(self, ids)
        read.append(len(rows.ids))
        return rows

    with Catalogue.open(tmp_path) as catalogue, Catalogue.open(tmp_path, readonly=True) as other:

        def put() -> None:
            number = int(random.integers(1, 60))
            metadata = Metadata(
                taken_at=dates(random),
                camera="X100" if random.random() < 0.9 else None,
                place=[None, ROME, OSTIA][random.integers(3)],
                taken_source="exif" if random.random() < 0.9 else "modified",
            )
            month = 30 * 86_400 * 10**9
            record(
                catalogue, number, metadata, width=int(random.integers(1, 4)),
                file=number + month * int(random.integers(3)),
            )  # fmt: skip

        def reread() -> None:
            some = path_of(int(random.integers(1, 60)))
            catalogue.record_metadata({some: (Metadata(taken_at=dates(random)), "")})

        changes: list[Callable[[], object]] = [
            put, put, put, reread,
            lambda: catalogue.mark_missing([path_of(int(random.integers(1, 60)))]),
            lambda: catalogue.mark_present([path_of(int(random.integers(1, 60)))]),
            lambda: catalogue.forget(path_of(int(random.integers(1, 60)))),
            lambda: catalogue.shelves.put_into(some_ids(), int(random.integers(1, 4))),
            lambda: catalogue.shelves.take_out(some_ids(), int(random.integers(1, 4))),
            lambda: catalogue.shelves.drop_album(catalogue.shelves.make_album("dropped")),
        ]  # fmt: skip

        def some_ids() -> list[int]:
            return [int(one) for one in random.integers(1, 60, 4)]

        for name in ("one", "two"):
            catalogue.shelves.put_into([1, 2, 3], catalogue.shelves.make_album(name))
        for _ in range(60):
            put()
        # Each month's own part, and those of files without a date: 1985, 2019 in three, undated.
        assert same_as_counted_anew(catalogue)
        assert len(catalogue.selection._calendar._parts) >= 5
        assert any(catalogue.selection.days().bursts)
        assert _across_months(catalogue)
        for _ in range(40):
            for _ in range(int(random.integers(1, 4))):
                changes[random.integers(len(changes))]()
            assert same_as_counted_anew(catalogue)
            assert same_as_counted_anew(other)
        # Only what changed is read, and after many changes all.
        monkeypatch.setattr(Reader, "read", counted)
        before = catalogue.selection.days()
        assert catalogue.selection.days() is before
        catalogue.marks.put({int(before.ids[0]): Mark(stars=4)})
        assert catalogue.selection.days() is before
        read.clear()
        put()
        reread()
        catalogue.selection.days()
        assert len(read) == 1
        assert read[0] <= 2
        monkeypatch.setattr(calendar, "_MANY", 1)
        put()
        put()
        record(catalogue, 77, Metadata())
        assert same_as_counted_anew(catalogue)
        assert read[1] > 20


def test_a_file_that_was_touched_moves_among_those_without_a_date(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        for number in (1, 2, 3):
            record(catalogue, number, Metadata())
        assert catalogue.selection.days().ids.tolist() == [3, 2, 1]
        record(catalogue, 1, Metadata(), file=9)
        assert catalogue.selection.days().ids.tolist() == [1, 3, 2]
        with pytest.raises(ValueError, match="read-only"):
            catalogue.selection.days().ids[0] = 5


def test_who_is_there_is_looked_up_where_photos_changed(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        for number in range(1, 6):
            record(catalogue, number, Metadata())
        assert catalogue.selection.ids([]).tolist() == [1, 2, 3, 4, 5]
        catalogue.mark_missing([path_of(2)])
        catalogue.forget(path_of(5))
        record(catalogue, 70, Metadata())
        there = catalogue.selection.ids([]).tolist()
        assert there == sorted(catalogue.shelves.members())
        assert catalogue.selection.present(np.array([1, 2, 5])).tolist() == [
            photo for photo in (1, 2, 5) if photo in there
        ]
        catalogue.mark_present([path_of(2)])
        assert 2 in catalogue.selection.ids([]).tolist()


def test_another_catalogue_that_is_put_in_its_place_is_read_anew(tmp_path: Path) -> None:
    """As a backup that is put back: its changes have the same numbers, and are others."""
    with Catalogue.open(tmp_path / "one") as one, Catalogue.open(tmp_path / "other") as other:
        for number in range(5):
            record(one, number, Metadata(taken_at="2019-04-30"))
            record(other, number + 20, Metadata(taken_at="1985-12-24"))
        record(other, 30, Metadata(taken_at="1985-12-24"))
        assert [day.day for day in one.selection.days().days] == ["2019-04-30"]
        assert len(one.selection.ids(())) == 5
        assert one.selection.names().folders
        with (
            closing(sqlite3.connect(tmp_path / "other" / "catalogue.db")) as source,
            closing(sqlite3.connect(tmp_path / "one" / "catalogue.db")) as target,
        ):
            source.backup(target)
        assert [day.day for day in one.selection.days().days] == ["1985-12-24"]
        assert len(one.selection.ids(())) == 6
        assert one.selection.names().folders == other.selection.names().folders
        assert same_as_counted_anew(one)
