"""The catalogue's records: what is written comes back, and nothing else changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, OTHER_BUNDLE, new_photo, new_photos, unit_vectors

from index import Catalogue, CatalogueError, Counts, FileStamp, Photo, Problem

STAMP = FileStamp(1000, 1_700_000_000_123_456_789)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "library") as opened:
        yield opened


def ids_by_path(catalogue: Catalogue) -> dict[str, int]:
    return {photo.path: photo.id for photo in catalogue.photos(range(1, 1000))}


# Photos and their embeddings


def test_recorded_photos_come_back_after_reopening(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))

    with Catalogue.open(catalogue.folder) as again:
        assert again.photos([3, 1]) == [
            Photo(3, "/photos/00002.jpg", 640, 480, "JPEG", missing=False),
            Photo(1, "/photos/00000.jpg", 640, 480, "JPEG", missing=False),
        ]
        assert again.counts() == Counts(3, 0, 0, {BUNDLE: 3})
        assert again.bundle_ids() == [BUNDLE]


def test_one_photo_is_found_by_its_id_or_is_none(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))

    assert catalogue.photo(1) == Photo(1, "/photos/00000.jpg", 640, 480, "JPEG", missing=False)
    assert catalogue.photo(2) is None


def test_more_photos_than_a_statement_has_parameters_are_found_at_once(
    catalogue: Catalogue,
) -> None:
    catalogue.record(BUNDLE, new_photos(1201), unit_vectors(1201))
    wanted = np.arange(1201, 0, -1)

    assert [photo.id for photo in catalogue.photos(wanted)] == wanted.tolist()


@pytest.mark.slow
def test_embeddings_are_stored_as_the_float16_that_they_round_to(catalogue: Catalogue) -> None:
    vectors = unit_vectors(5000, 8)
    vectors[0] = [0, -0.0, 1, 65504, 6e-8, -6.1e-5, 1 / 3, 2049]
    catalogue.record(BUNDLE, new_photos(5000), vectors)

    ids, stored = catalogue.embeddings(BUNDLE)

    assert ids.dtype == np.int64
    assert stored.dtype == np.float16
    assert ids.tolist() == list(range(1, 5001))
    assert stored.tobytes() == vectors.astype(np.float16).tobytes()


def test_float16_vectors_are_stored_bit_for_bit(catalogue: Catalogue) -> None:
    vectors = unit_vectors(4).astype(np.float16)
    catalogue.record(BUNDLE, new_photos(4), vectors)

    assert catalogue.embeddings(BUNDLE)[1].tobytes() == vectors.tobytes()


def test_a_bundle_without_embeddings_has_none(catalogue: Catalogue) -> None:
    ids, vectors = catalogue.embeddings("unknown")

    assert ids.shape == (0,)
    assert vectors.shape == (0, 0)
    assert catalogue.bundle_ids() == []


def test_a_changed_photo_keeps_its_id_and_gets_its_new_vector(catalogue: Catalogue) -> None:
    before, after = unit_vectors(3), unit_vectors(1, seed=1)
    catalogue.record(BUNDLE, new_photos(3), before)

    catalogue.record(BUNDLE, [new_photo("/photos/00001.jpg", size=2)], after)

    ids, stored = catalogue.embeddings(BUNDLE)
    assert ids.tolist() == [1, 2, 3]
    assert np.array_equal(stored, np.stack([before[0], after[0], before[2]]).astype(np.float16))
    assert catalogue.stamps("/photos", BUNDLE)["/photos/00001.jpg"].size == 2


def test_a_second_bundle_leaves_the_vectors_of_the_first(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(3), unit_vectors(3, 16))

    catalogue.record(OTHER_BUNDLE, new_photos(2), unit_vectors(2, 24))

    assert catalogue.embeddings(BUNDLE)[1].shape == (3, 16)
    assert catalogue.embeddings(OTHER_BUNDLE)[1].shape == (2, 24)
    assert catalogue.counts() == Counts(3, 0, 0, {BUNDLE: 3, OTHER_BUNDLE: 2})
    assert catalogue.bundle_ids() == [BUNDLE, OTHER_BUNDLE]


def test_a_changed_file_loses_what_another_bundle_made_of_it(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))

    catalogue.record(OTHER_BUNDLE, [new_photo("/photos/00000.jpg", mtime_ns=5)], unit_vectors(1))

    assert catalogue.embeddings(BUNDLE)[0].tolist() == [2]
    assert catalogue.embeddings(OTHER_BUNDLE)[0].tolist() == [1]


def test_vectors_of_another_width_are_refused_and_nothing_is_recorded(
    catalogue: Catalogue,
) -> None:
    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1, 16))

    with pytest.raises(CatalogueError, match=f"16 numbers for {BUNDLE}, and these have 24"):
        catalogue.record(BUNDLE, new_photos(2), unit_vectors(2, 24))

    assert catalogue.counts().photos == 1


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e6])
def test_vectors_that_float16_cannot_hold_are_refused(catalogue: Catalogue, number: float) -> None:
    vectors = unit_vectors(2)
    vectors[1, 3] = number

    with pytest.raises(CatalogueError, match="not finite"):
        catalogue.record(BUNDLE, new_photos(2), vectors)

    assert catalogue.counts().photos == 0


@pytest.mark.parametrize("shape", [(3, 16), (1, 16), (2,)])
def test_photos_and_vectors_must_match(catalogue: Catalogue, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2 photos"):
        catalogue.record(BUNDLE, new_photos(2), np.ones(shape, np.float32))


def test_no_photos_change_nothing(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, [], np.empty((0, 16), np.float32))
    catalogue.record_problems([])
    catalogue.mark_missing([])
    catalogue.mark_present([])
    catalogue.forget_problems([])

    assert catalogue.generation == 0


# Folders and stamps


def test_folders_are_remembered_once_and_in_order(catalogue: Catalogue) -> None:
    for folder in ("/photos", "/archive", "/photos"):
        catalogue.add_folder(folder)

    assert catalogue.folders() == ["/archive", "/photos"]


def test_stamps_tell_what_a_scan_may_skip(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, [new_photo("/photos/a.jpg", size=7, mtime_ns=2**62)], unit_vectors(1))
    catalogue.record(OTHER_BUNDLE, [new_photo("/photos/other.jpg")], unit_vectors(1))
    catalogue.record_problems(
        [
            Problem("/photos/bad.jpg", FileStamp(3, 4), "is damaged"),
            Problem("/photos/locked", None, "Permission denied"),
        ]
    )

    assert catalogue.stamps("/photos", BUNDLE) == {"/photos/a.jpg": FileStamp(7, 2**62)}


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("/photos", ["/photos/100%/a.jpg", "/photos/a_b/a.jpg", "/photos/b.jpg"]),
        ("/photos/", ["/photos/100%/a.jpg", "/photos/a_b/a.jpg", "/photos/b.jpg"]),
        ("/photos/a_b", ["/photos/a_b/a.jpg"]),
        ("/photos/b.jpg", ["/photos/b.jpg"]),
        ("/photos/100%", ["/photos/100%/a.jpg"]),
        ("/photos-old", ["/photos-old/a.jpg"]),
        ("/photo", []),
    ],
)
def test_below_a_folder_means_in_it_and_not_merely_like_it(
    catalogue: Catalogue, folder: str, inside: list[str]
) -> None:
    paths = [
        "/photos/b.jpg",
        "/photos/a_b/a.jpg",
        "/photos/axb.jpg",
        "/photos/100%/a.jpg",
        "/photos-old/a.jpg",
        "/photos0/a.jpg",
        "/Photos/a.jpg",
        "/photos.jpg",
    ]
    if folder in ("/photos", "/photos/"):
        inside = sorted([*inside, "/photos/axb.jpg"])
    catalogue.record(BUNDLE, [new_photo(path) for path in paths], unit_vectors(len(paths)))

    assert catalogue.paths(folder, missing=False) == inside
    assert sorted(catalogue.stamps(folder, BUNDLE)) == inside


def test_everything_is_below_the_root_of_the_disk(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))

    assert len(catalogue.paths("/", missing=False)) == 2
    assert len(catalogue.stamps("/", BUNDLE)) == 2


# Missing photos


def test_missing_photos_are_hidden_and_come_back_without_work(catalogue: Catalogue) -> None:
    vectors = unit_vectors(3)
    catalogue.record(BUNDLE, new_photos(3), vectors)

    catalogue.mark_missing(["/photos/00001.jpg", "/photos/unknown.jpg"])

    assert catalogue.embeddings(BUNDLE)[0].tolist() == [1, 3]
    assert catalogue.paths("/photos", missing=True) == ["/photos/00001.jpg"]
    assert catalogue.counts() == Counts(2, 1, 0, {BUNDLE: 3})
    assert catalogue.photos([2])[0].missing

    catalogue.mark_present(["/photos/00001.jpg"])

    ids, stored = catalogue.embeddings(BUNDLE)
    assert ids.tolist() == [1, 2, 3]
    assert np.array_equal(stored, vectors.astype(np.float16))


def test_recording_a_missing_photo_shows_it_again(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))
    catalogue.mark_missing(["/photos/00000.jpg"])

    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))

    assert catalogue.paths("/photos", missing=False) == ["/photos/00000.jpg"]


# Problems


def test_problems_are_listed_by_path_with_their_latest_reason(catalogue: Catalogue) -> None:
    first = Problem("/photos/b.jpg", STAMP, "is cut short")
    second = Problem("/photos/a\udcff.jpg", None, "cannot open /photos/a\udcff.jpg")
    catalogue.record_problems([Problem("/photos/b.jpg", FileStamp(1, 1), "old"), first, second])

    assert catalogue.problems() == [second, first]
    assert catalogue.counts().problems == 2


def test_a_problem_ends_when_its_file_is_recorded_or_forgotten(catalogue: Catalogue) -> None:
    paths = [f"/photos/{number:05d}.jpg" for number in range(3)]
    catalogue.record_problems([Problem(path, STAMP, "is damaged") for path in paths])

    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))
    catalogue.forget_problems([paths[1]])

    assert [problem.path for problem in catalogue.problems()] == [paths[2]]


def test_a_photo_whose_file_turned_bad_is_not_found_and_keeps_its_id(
    catalogue: Catalogue,
) -> None:
    catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))

    catalogue.record_problems([Problem("/photos/00000.jpg", FileStamp(9, 9), "is cut short")])

    assert catalogue.embeddings(BUNDLE)[0].tolist() == [2]
    assert catalogue.counts() == Counts(1, 0, 1, {BUNDLE: 1})

    catalogue.record(BUNDLE, [new_photo("/photos/00000.jpg", size=10)], unit_vectors(1))

    assert ids_by_path(catalogue)["/photos/00000.jpg"] == 1
    assert catalogue.embeddings(BUNDLE)[0].tolist() == [1, 2]


@pytest.mark.parametrize("stamp", [None, STAMP])
def test_a_photo_whose_file_did_not_change_stays_found(
    catalogue: Catalogue, stamp: FileStamp | None
) -> None:
    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))

    catalogue.record_problems([Problem("/photos/00000.jpg", stamp, "the drive did not answer")])

    assert catalogue.embeddings(BUNDLE)[0].tolist() == [1]
    assert catalogue.counts() == Counts(1, 0, 1, {BUNDLE: 1})


# Generations


def test_a_generation_begins_with_every_change_to_what_can_be_found_and_no_other(
    catalogue: Catalogue,
) -> None:
    def changes() -> bool:
        nonlocal seen
        before, seen = seen, (catalogue.generation, catalogue.revision)
        assert (before[0] != seen[0]) == (before[1] != seen[1])
        assert seen[0] - before[0] in (0, 1)
        return before != seen

    seen = (catalogue.generation, catalogue.revision)
    path = "/photos/00000.jpg"

    catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
    assert changes()
    catalogue.mark_missing([path])
    assert changes()
    catalogue.mark_missing([path])
    assert not changes()
    catalogue.mark_present([path])
    assert changes()
    catalogue.mark_present([path, "/photos/unknown.jpg"])
    assert not changes()
    catalogue.record_problems([Problem(path, FileStamp(9, 9), "is cut short")])
    assert changes()
    catalogue.record_problems([Problem("/photos/new.jpg", STAMP, "is cut short")])
    assert not changes()
    catalogue.forget_problems([path])
    assert not changes()
    catalogue.add_folder("/photos")
    assert not changes()


def test_revisions_of_two_catalogues_never_meet(tmp_path: Path) -> None:
    revisions = set()
    for name in ("a", "b"):
        with Catalogue.open(tmp_path / name) as catalogue:
            revisions.add(catalogue.revision)
            catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))
            revisions.add(catalogue.revision)

    assert len(revisions) == 4


# The file


def test_deleting_a_photo_takes_its_embeddings_along(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
    catalogue.record(OTHER_BUNDLE, new_photos(2), unit_vectors(2))

    with catalogue._connection.write() as db:
        db.execute("DELETE FROM photos WHERE id = 1")

    assert catalogue.counts().embeddings == {BUNDLE: 1, OTHER_BUNDLE: 1}


def test_an_embedding_without_its_content_is_impossible(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match="FOREIGN KEY"), catalogue._connection.write() as db:
        db.execute("INSERT INTO embeddings VALUES (?, 77, x'00')", [BUNDLE])


def test_columns_hold_only_values_of_their_type(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match="TEXT value"), catalogue._connection.write() as db:
        db.execute("INSERT INTO problems (path, size, reason, seen_at) VALUES ('a', 'b', '', '')")


def test_vectors_of_512_numbers_take_little_more_than_their_bytes(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(1000), unit_vectors(1000, 512))
    catalogue.close()

    assert (catalogue.folder / "catalogue.db").stat().st_size < 2 * 1000 * 512 * 2


def test_the_file_is_one_that_other_sqlite_programs_read(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))

    with closing(sqlite3.connect(catalogue.folder / "catalogue.db")) as other:
        row = other.execute("SELECT path, size, mtime_ns, missing FROM photos").fetchone()

    assert row == ("/photos/00000.jpg", STAMP.size, STAMP.mtime_ns, 0)


def test_a_closed_catalogue_is_a_mistake_of_the_program(catalogue: Catalogue) -> None:
    catalogue.close()

    with pytest.raises(sqlite3.ProgrammingError):
        catalogue.counts()
