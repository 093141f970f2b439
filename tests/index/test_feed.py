"""The list of changes that other programs follow."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FaissIndex, FileStamp, Mark, Metadata, NewPhoto
from index.catalogue.feed import UnknownPlaceError
from index.safety.adopting import adopt

BUNDLE = "tiny-1-0123456789ab"


def record(catalogue: Catalogue, *numbers: int) -> None:
    photos = [
        NewPhoto(f"/photos/{n}.jpg", FileStamp(n, n), 4, 3, "JPEG", n.to_bytes(32, "big"))
        for n in numbers
    ]
    vectors = np.random.default_rng(numbers).normal(size=(len(numbers), 8))
    catalogue.record(BUNDLE, photos, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def told(catalogue: Catalogue, place: str | None, limit: int = 1000) -> tuple[list[str], str]:
    """What a program that comes back is told, page by page, and where it goes on."""
    lines = []
    while True:
        page = catalogue.feed.read(place, limit)
        lines += [f"{each.photo_id} {each.state}" for each in page.changes]
        assert all((each.path is None) == (each.state == "dropped") for each in page.changes)
        place = page.next
        if not page.more:
            return lines, place


def test_each_photo_is_told_of_at_its_last_change(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        assert told(catalogue, None)[0] == []
        empty = catalogue.feed.end()
        record(catalogue, 1, 2, 3, 4, 5)
        lines, place = told(catalogue, None, limit=2)
        assert lines == [f"{n} here" for n in (1, 2, 3, 4, 5)]
        assert told(catalogue, empty)[0] == lines
        assert told(catalogue, place) == ([], place)
        catalogue.mark_missing(["/photos/2.jpg"])
        catalogue.record_metadata({"/photos/4.jpg": (Metadata(rating=3), "")})
        record(catalogue, 6)
        catalogue.forget("/photos/1.jpg")
        lines, later = told(catalogue, place, limit=1)
        assert lines == ["2 missing", "4 here", "6 here", "1 dropped"]
        catalogue.marks.put({3: Mark(stars=5)})
        catalogue.mark_present(["/photos/2.jpg"])
        assert told(catalogue, later)[0] == ["3 here", "2 here"]
        # Who was away for both is told of the first once, as it is now.
        assert told(catalogue, place)[0] == [
            "4 here", "6 here", "1 dropped", "3 here", "2 here",
        ]  # fmt: skip


@pytest.mark.of_files("an archive keeps that list for the files of other machines")
def test_it_outlives_the_list_by_which_vectors_are_kept_up_to_date(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, 1, 2)
        _, place = told(catalogue, None)
        record(catalogue, 3)
        assert FaissIndex.refresh(catalogue, BUNDLE)
        assert not catalogue._connection.rows("SELECT 1 FROM changes")
        assert told(catalogue, place)[0] == ["3 here"]


def test_places_of_another_catalogue_or_an_older_copy_are_not_known(tmp_path: Path) -> None:
    here, copy, other, adopted = (tmp_path / name for name in ("here", "copy", "other", "adopted"))
    with Catalogue.open(here) as catalogue:
        record(catalogue, 1, 2)
        early = catalogue.feed.end()
    shutil.copytree(here, copy)
    with Catalogue.open(here) as catalogue:
        record(catalogue, 3)
        late = catalogue.feed.end()
        catalogue.record_metadata({"/photos/1.jpg": (Metadata(rating=3), "")})
        latest = catalogue.feed.end()
        assert told(catalogue, early)[0] == ["3 here", "1 here"]
    with Catalogue.open(copy) as catalogue:
        assert told(catalogue, early)[0] == []
        for steps in (0, 1, 2):
            # Also when it has as many changes as the one that was there.
            for place in (late, latest):
                with pytest.raises(UnknownPlaceError):
                    catalogue.feed.read(place)
            record(catalogue, 4 + steps)
    with Catalogue.open(other) as catalogue:
        record(catalogue, 1, 2)
        for place in (early, "", "1-1", f"{early}0", "now", "0-0-0-" + "0" * 32):
            with pytest.raises(UnknownPlaceError):
                catalogue.feed.read(place)
    adopted.mkdir()
    with Catalogue.open(here) as catalogue:
        catalogue.portable.copy_to(tmp_path / "exported.db")
    adopt(tmp_path / "exported.db", adopted / "catalogue.db", "/")
    with Catalogue.open(adopted) as catalogue:
        with pytest.raises(UnknownPlaceError):
            catalogue.feed.read(early)
        assert sorted(told(catalogue, None)[0]) == ["1 here", "2 here", "3 here"]


def test_names_of_states_are_kept_for_so_long(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, 1)
        place = catalogue.feed.end()
        with catalogue._connection.write() as db:
            db.execute("UPDATE state SET value = value + 99998 WHERE key = 'generation'")
        record(catalogue, 2)
        assert told(catalogue, place)[0] == ["2 here"]
        record(catalogue, 3)
        with pytest.raises(UnknownPlaceError):
            catalogue.feed.read(place)
