"""Of many groups the page is told of all, and of the photos of the first ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto
from photosearch import Library
from photosearch.ui.routes import albums


@pytest.mark.parametrize("most", [1, 1 << 17])
def test_all_are_told_of_and_as_they_are_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(albums, "_SEEN", 2)
    monkeypatch.setattr(albums, "_MOST_TOLD", most)

    def record(number: int, folder: int) -> None:
        path = str(Path(f"/photos/{folder}/{number}.jpg").absolute())
        digest = number.to_bytes(32, "big")
        new = NewPhoto(path, FileStamp(1, number), 4, 3, "JPEG", digest, Metadata())
        catalogue.record("model", [new], np.ones((1, 4), np.float32))

    with Catalogue.open(tmp_path) as catalogue, Library.open(tmp_path) as library:
        for number in range(1, 10):
            record(number, number // 2)
        library.photos.days()
        for number in (10, 11, 12):
            told = json.loads(albums._groups(library, "folder"))
            expected = library.photos.groups("folder")
            assert [(one["key"], one["count"]) for one in told] == [
                (one.key, one.count) for one in expected
            ]
            assert [one["cover"]["id"] for one in told] == [one.cover for one in expected]
            assert ["version" in one["cover"] for one in told] == [True, True] + [False] * (
                len(told) - 2
            )
            record(number, 0)
