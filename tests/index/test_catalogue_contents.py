"""Contents: embeddings belong to bytes, so that copies share them and moves keep them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, OTHER_BUNDLE, new_photo, new_photos, unit_vectors

from index import Catalogue, Counts, FileStamp, KnownFile, Metadata, NewPhoto, Place

DUMP = Path(__file__).parents[1] / "data" / "catalogue-1.sql"
A, B = bytes(range(32)), bytes(range(32, 64))
OTHER_STAMP = FileStamp(1000, 5)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "library") as opened:
        yield opened


def photo(path: str, digest: bytes, **others: object) -> NewPhoto:
    return replace(new_photo(path), digest=digest, **others)


def embeddings_stored(catalogue: Catalogue) -> int:
    with closing(sqlite3.connect(catalogue.folder / "catalogue.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM embeddings").fetchone()[0])


@pytest.mark.of_files("is about a file of an older photosearch")
def test_a_library_of_the_first_schema_keeps_photos_vectors_and_problems(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))

    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.folders() == ["/photos"]
        # Photo 2 was missing; the file of photo 3 had turned bad.
        assert catalogue.counts() == Counts(1, 1, 2, {BUNDLE: 2, OTHER_BUNDLE: 2})
        ids, vectors = catalogue.embeddings(BUNDLE)
        assert ids.tolist() == [1]
        assert np.array_equal(vectors, unit_vectors(3, 4)[:1].astype(np.float16))
        catalogue.mark_present(["/photos/00001.jpg"])
        assert np.array_equal(
            catalogue.embeddings(OTHER_BUNDLE)[1], unit_vectors(2, 4, seed=1).astype(np.float16)
        )
        assert [p.path for p in catalogue.photos([1, 2, 3])] == [
            f"/photos/0000{number}.jpg" for number in range(3)
        ]
        catalogue.record(BUNDLE, [photo("/photos/00000.jpg", A)], unit_vectors(1, 4))
        assert catalogue.embedded(OTHER_BUNDLE, A)  # the same bytes, now with their digest
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_copies_share_a_vector_and_are_found_each(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, [photo("/photos/a.jpg", A)], unit_vectors(1))

    catalogue.record_known({KnownFile("/photos/b.jpg", OTHER_STAMP, A): None})

    ids, vectors = catalogue.embeddings(BUNDLE)
    assert ids.tolist() == [1, 2]
    assert np.array_equal(vectors[0], vectors[1])
    assert embeddings_stored(catalogue) == 1
    assert catalogue.stamps("/", BUNDLE)["/photos/b.jpg"] == OTHER_STAMP
    (copy,) = catalogue.photos([2])
    assert (copy.width, copy.height, copy.format) == (640, 480, "JPEG")


def test_a_moved_photo_keeps_its_id(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, [photo("/photos/a.jpg", A)], unit_vectors(1))
    catalogue.mark_missing(["/photos/a.jpg"])
    assert catalogue.missing_with(A) == ["/photos/a.jpg"]

    catalogue.record_known({KnownFile("/else/b.jpg", OTHER_STAMP, A): "/photos/a.jpg"})

    assert [(p.id, p.path, p.missing) for p in catalogue.photos([1, 2])] == [
        (1, "/else/b.jpg", False)
    ]
    assert catalogue.embeddings(BUNDLE)[0].tolist() == [1]


def test_a_vector_goes_with_the_last_photo_of_its_bytes(catalogue: Catalogue) -> None:
    catalogue.record(BUNDLE, [photo("/a.jpg", A)], unit_vectors(1))
    catalogue.record_known({KnownFile("/b.jpg", OTHER_STAMP, A): None})
    edited = replace(photo("/a.jpg", B), stamp=FileStamp(7, 7))
    catalogue.record(BUNDLE, [edited], unit_vectors(1, seed=1))
    catalogue.mark_missing(["/b.jpg"])
    catalogue.drop_unused()
    assert embeddings_stored(catalogue) == 2  # the missing copy may come back

    catalogue.forget("/b.jpg")

    assert embeddings_stored(catalogue) == 1
    assert not catalogue.embedded(BUNDLE, A)


def test_forgetting_a_folder_drops_what_is_below_and_no_more(catalogue: Catalogue) -> None:
    for folder in ("/photos", "/photos/2024", "/photos2"):
        catalogue.add_folder(folder)
    catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
    catalogue.record(BUNDLE, [new_photo("/photos2/a.jpg")], unit_vectors(1))

    assert catalogue.forget("/photos") == 2

    assert catalogue.folders() == ["/photos2"]
    assert catalogue.counts() == Counts(1, 0, 0, {BUNDLE: 1})
    assert catalogue.forget("/nowhere") == 0


def test_metadata_and_companions_come_back(catalogue: Catalogue) -> None:
    metadata = Metadata(
        taken_at="2024-02-29T12:00:00",
        taken_offset_minutes=-210,
        taken_source="exif",
        latitude=-33.5,
        longitude=151.25,
        iso=100,
        keywords=("sea", "Zoë"),
        place=Place("Sydney", "New South Wales", "Australia"),
    )
    catalogue.record(
        BUNDLE,
        [photo("/a.jpg", A, metadata=metadata, companions=("/a\udcff.cr2",)), new_photo("/b.jpg")],
        unit_vectors(2),
    )
    catalogue.record_known({KnownFile("/copy.jpg", OTHER_STAMP, A): None})

    assert catalogue.metadata([1, 2, 3]) == {1: metadata, 3: metadata}
    assert [p.companions for p in catalogue.photos([1, 2, 3])] == [("/a\udcff.cr2",), (), ()]


def test_the_active_bundle_is_remembered(catalogue: Catalogue) -> None:
    assert catalogue.active_bundle is None
    catalogue.use_bundle(BUNDLE)
    catalogue.use_bundle(OTHER_BUNDLE)
    with Catalogue.open(catalogue.folder, readonly=True) as again:
        assert again.active_bundle == OTHER_BUNDLE
