"""What is kept of filters and of dates is, after any change, what would be read anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from index import Catalogue, FileStamp, Mark, Metadata, NewPhoto, Place
from index.catalogue import dated, holding, id_parts
from index.catalogue.areas import Area
from index.catalogue.conditions import (
    Condition,
    Either,
    FileDated,
    InAlbum,
    InFolder,
    InPlace,
    Located,
    Made,
    Near,
    Not,
    OfFormat,
    Rated,
    Saying,
    Screenshot,
    Shaped,
    Showing,
    Sized,
    Tagged,
    Taken,
    TakenInMonth,
    TakenOnDays,
    Within,
)
from index.catalogue.dated import Dated
from index.catalogue.holding import Holding
from index.catalogue.naming import names_of
from index.catalogue.people_in_files import PeopleInFiles
from index.catalogue.written_names import WrittenNames

FOLDER = str(Path("/photos/3").absolute())
CONDITIONS: tuple[Condition, ...] = (
    Taken("2019-04-01", "2019-05-01"),
    Taken(None, "2015-01-01", of_file=True),
    TakenInMonth(5),
    TakenOnDays("12-24", "01-02"),
    FileDated(),
    OfFormat(("RAW",)),
    Sized("bytes", 50),
    Shaped("portrait"),
    Shaped("panorama"),
    Screenshot(),
    Made("camera", "pixel 7"),
    Rated(3, 5),
    Rated(0, 2),
    Tagged("dog"),
    InPlace("Lazio"),
    Near(41.9, 12.5, 30),
    Within(Area(40, 10, 42, 13)),
    Located(),
    InFolder(FOLDER),
    Saying("img"),
    Showing("Anna"),
    InAlbum(2),
    Not(Tagged("dog")),
    Either((Rated(4, 5), Made("camera", "x100"))),
)
CAMERAS = ("X100", "Pixel 7 Pro", None)
KEYWORDS = ((), ("dog",), ("cat", "People|Anna"), ("People|Family|ANNA",), ("Tom",))
DATES = ("2019", "2019-04", "2019-04-30T10:00:00", "2014-12-25T08:00:00", None)


def path_of(number: int) -> str:
    name = "Screenshot" if number % 9 == 0 else "IMG"
    return str(Path(f"/photos/{number % 5}/{name}_{number}.jpg").absolute())


def put(catalogue: Catalogue, random: np.random.Generator, number: int, camera: str | None) -> None:
    digest = (number + 1000 * int(random.integers(3))).to_bytes(32, "big")
    known = Metadata(
        taken_at=DATES[random.integers(len(DATES))],
        camera=camera,
        rating=int(random.integers(6)) or None,
        keywords=KEYWORDS[random.integers(len(KEYWORDS))],
        people=("Tom",) if random.random() < 0.2 else (),
        caption=f"The {('sea', 'hill')[number % 2]}" if random.random() < 0.3 else None,
        place=[None, Place("Rome", "Lazio", "Italy"), Place("Oslo", "", "Norway")][number % 3],
        latitude=41.9 if number % 2 else None,
        longitude=12.5 if number % 2 else None,
    )
    new = NewPhoto(
        path_of(number), FileStamp(int(random.integers(100)), 10**18 + number),
        int(random.integers(1, 9)), 3, ("RAW", "JPEG")[number % 2], digest, known,
    )  # fmt: skip
    catalogue.record("model", [new], np.ones((1, 4), np.float32))


def check(catalogue: Catalogue) -> None:
    """That all is what it is to those who have kept nothing."""
    kept, connection = catalogue.selection, catalogue._connection
    for condition in CONDITIONS:
        anew = Holding(connection).ids([condition])
        assert kept.ids([condition]).tolist() == anew.tolist(), condition
    names, files = kept.names(), WrittenNames(connection)
    assert names == replace(names_of(connection, files, names.cameras), people=names.people)
    assert {one.name for one in kept.people()}
    found, named = connection.lasting("people in files", PeopleInFiles).read()
    people, named_anew = PeopleInFiles(connection).read()
    assert named == named_anew
    assert found.keys() == people.keys()
    for key, one in found.items():
        other = people[key]
        told = (one.name, one.above, one.ids.tolist())
        assert told == (other.name, other.above, other.ids.tolist())
    every = kept.ids([])
    assert every.tolist() == sorted(catalogue.shelves.members(limit=10_000))
    for oldest in (False, True):
        by_date = kept.by_date(every, oldest=oldest).tolist()
        assert by_date == Dated(connection).order(every, oldest=oldest).tolist()
        assert by_date == Dated(connection)._of_few(every, oldest=oldest).tolist()
    assert kept.by_date(every, oldest=False).tolist() == catalogue.shelves.members(limit=10_000)


def test_whatever_changes_filters_and_order_are_as_if_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dated, "_FEW", 0)
    monkeypatch.setattr(dated, "_AT_ONCE", 16)
    monkeypatch.setattr(holding, "_ROOM", 8)
    monkeypatch.setattr(id_parts, "AT_ONCE", 4)
    random = np.random.default_rng(11)

    def some() -> str:
        return path_of(int(random.integers(1, 50)))

    with Catalogue.open(tmp_path) as catalogue, Catalogue.open(tmp_path) as writer:
        for number in range(1, 50):
            put(catalogue, random, number, CAMERAS[number % 3])
        album = catalogue.shelves.make_album("Trip")
        assert album == 2
        check(catalogue)
        changes: list[Callable[[], object]] = [
            lambda: put(writer, random, int(random.integers(1, 60)), CAMERAS[random.integers(3)]),
            lambda: writer.mark_missing([some()]),
            lambda: writer.mark_present([some()]),
            lambda: writer.forget(some()),
            lambda: writer.record_metadata({some(): (Metadata(taken_at=DATES[1]), "")}),
            lambda: catalogue.marks.put({int(random.integers(1, 40)): Mark(stars=4)}),
            lambda: catalogue.shelves.put_into([int(random.integers(1, 40))], album),
            lambda: catalogue.shelves.take_out([int(random.integers(1, 40))], album),
        ]
        for _ in range(30):
            for _ in range(int(random.integers(1, 4))):
                changes[random.integers(len(changes))]()
            check(catalogue)
        # Whoever has just this name now is meant, and not those with it in theirs any more.
        assert len(catalogue.selection.ids([Made("camera", "pixel 7")])) > 1
        put(writer, random, 70, "Pixel 7")
        check(catalogue)
        assert len(catalogue.selection.ids([Made("camera", "pixel 7")])) == 1


def test_after_a_change_only_what_changed_is_looked_at(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    rows = [one for one in CONDITIONS if getattr(one, "is_of_rows", False)]
    with Catalogue.open(tmp_path) as catalogue:
        for number in range(1, 30):
            put(catalogue, random, number, CAMERAS[number % 3])
        connection = catalogue._connection
        for condition in rows:
            sql, values = holding._among(condition.query(connection), [1, 2])  # type: ignore[union-attr]
            plan = [row[3] for row in connection.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
            # All that is gone through are the ids that are given.
            assert not [line for line in plan if "SCAN" in line and "json_each" not in line], plan
            assert any("USING INTEGER PRIMARY KEY" in line for line in plan)
        assert len(rows) >= 16


def test_what_could_not_be_read_is_read_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    with Catalogue.open(tmp_path) as catalogue:
        for number in range(1, 20):
            put(catalogue, random, number, "X100")
        held, monkey = Holding(catalogue._connection), Holding._ids
        assert len(held.ids([Made("camera", "x100")])) == 19
        put(catalogue, random, 30, "X100")

        def fails(self: Holding, sql: object) -> object:
            raise OSError

        monkeypatch.setattr(Holding, "_ids", fails)
        with pytest.raises(OSError, match=r"^$"):
            held.ids([Made("camera", "x100")])
        monkeypatch.setattr(Holding, "_ids", monkey)
        assert len(held.ids([Made("camera", "x100")])) == 20
