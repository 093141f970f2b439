"""What was said of photos for a query, kept by their bytes, and what was learned from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, NewPhoto, Verdict
from index.safety.salvage import salvage


def record(catalogue: Catalogue, path: str, data: str, size: int = 1) -> int:
    photo = NewPhoto(path, FileStamp(size, 1), 4, 3, "JPEG", data.encode().ljust(32))
    catalogue.record("model", [photo], np.ones((1, 4), np.float32))
    found = catalogue.file_at(path)
    assert found is not None
    return found.id


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        yield catalogue


def test_copies_share_them_and_edited_photos_keep_them(catalogue: Catalogue) -> None:
    one, copy = record(catalogue, "/a/1.jpg", "1"), record(catalogue, "/b/1.jpg", "1")
    catalogue.verdicts.put("a dog", {one: True}, "de")
    assert catalogue.verdicts.of([copy]) == [Verdict("a dog", copy, True, "de")]
    assert catalogue.verdicts.all() == [Verdict("a dog", one, True, "de")]
    # Case does not make another query, and a photo is one or the other.
    catalogue.verdicts.put("A Dog", {copy: False})
    assert [one.fits for one in catalogue.verdicts.all()] == [False]
    record(catalogue, "/a/1.jpg", "edited", size=2)
    assert [(each.photo_id, each.fits) for each in catalogue.verdicts.of([one])] == [(one, False)]
    catalogue.verdicts.put("a DOG", {one: None})
    assert catalogue.verdicts.of([one]) == []
    assert len(catalogue.verdicts.of([copy])) == 1


def test_forgetting_the_last_copy_forgets_them_and_what_was_learned(catalogue: Catalogue) -> None:
    one, other = record(catalogue, "/a/1.jpg", "1"), record(catalogue, "/b/2.jpg", "2")
    record(catalogue, "/c/1.jpg", "1")
    catalogue.verdicts.put("a dog", {one: True, other: False})
    catalogue.verdicts.put_layer("model", b"learned", 2)
    catalogue.forget("/a")
    assert catalogue.verdicts.count() == 2
    assert catalogue.verdicts.layer("model") == b"learned"
    assert catalogue.verdicts.learned_from("model") == 2
    catalogue.forget("/c")
    assert [one.photo_id for one in catalogue.verdicts.all()] == [other]
    assert catalogue.verdicts.layer("model") is None
    assert catalogue.verdicts.learned_from("model") == 0
    assert not catalogue.verdicts.drop_layer("model")


def test_another_connection_sees_what_was_switched_on(catalogue: Catalogue, tmp_path: Path) -> None:
    assert catalogue.verdicts.layer("model") is None
    with Catalogue.open(tmp_path) as other:
        other.verdicts.put_layer("model", b"learned", 6)
    assert catalogue.verdicts.layer("model") == b"learned"
    assert catalogue.verdicts.layer("another") is None


def test_they_are_saved_from_a_damaged_catalogue(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        one = record(catalogue, "/a/1.jpg", "1")
        catalogue.verdicts.put("a dog", {one: True})
        catalogue.verdicts.put_layer("model", b"learned", 1)
    salvage(tmp_path / "catalogue.db")
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.verdicts.all() == [Verdict("a dog", one, True)]
        assert catalogue.verdicts.layer("model") == b"learned"
