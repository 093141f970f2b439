"""The file of vectors: what is wanted of it here and there, mapped, or read of a large one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import unit_vectors
from optional import needs

from index import CatalogueError
from index.vectors import opened_file
from index.vectors.building import write_plain
from index.vectors.opened_file import OpenedFile
from index.vectors.vector_file import Stamp, read_vectors
from index.vectors.vector_lists import PIECE, VectorLists, plain_lists

COUNT, WIDTH = PIECE + 900, 8
ROWS = unit_vectors(COUNT, WIDTH).astype(np.float16)
needs_maps = needs(os.name != "nt", "a system on which a mapped file can be replaced")
DENSE = np.arange(5, 5 + COUNT, dtype=np.int64)
GAPS = np.cumsum(np.random.default_rng(3).integers(1, 4, COUNT)).astype(np.int64)


def opened(path: Path, ids: np.ndarray = DENSE, rows: np.ndarray = ROWS) -> VectorLists:
    assert write_plain(path, Stamp(1, "a"), [(ids, rows)], len(ids))
    loaded = read_vectors(path)
    assert loaded is not None
    return loaded[0]


@needs_maps
@pytest.mark.parametrize("ids", [DENSE, GAPS], ids=["dense", "gaps"])
def test_vectors_are_the_same_mapped_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: np.ndarray
) -> None:
    lists = opened(tmp_path / "file", ids)
    assert lists.held is not None
    some = np.sort(np.random.default_rng(1).permutation(COUNT)[:2000])
    assert not lists.held.is_let_go
    assert np.array_equal(lists.codes(some), ROWS[some])
    monkeypatch.setattr(opened_file, "_MAPPED_WHOLE", 1 << 10)
    assert lists.held.is_let_go
    assert np.array_equal(lists.codes(some), ROWS[some])
    assert lists.codes(some[:0]).shape == (0, WIDTH)


@needs_maps
def test_what_is_read_is_of_the_file_that_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_file, "_MAPPED_WHOLE", 1 << 10)
    lists = opened(tmp_path / "file")
    other = opened(tmp_path / "file", rows=-ROWS)  # as an index run does, meanwhile
    few = np.arange(0, COUNT, 100)
    assert np.array_equal(lists.codes(few), ROWS[few])
    assert np.array_equal(other.codes(few), -ROWS[few])


@needs_maps
def test_a_file_that_was_cut_off_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100_000))
    file = OpenedFile(tmp_path / "file")
    os.truncate(tmp_path / "file", 50_000)
    with pytest.raises(CatalogueError, match=r"file: cannot be read \(it is shorter .* made anew"):
        file.read(49_999, 2)
    assert file.read(49_998, 2) == bytes(2)


@pytest.mark.parametrize("ids", [DENSE, GAPS], ids=["dense", "gaps"])
@pytest.mark.parametrize("count", [3, 5000])
def test_what_a_search_is_limited_to_is_the_same_as_bits(ids: np.ndarray, count: int) -> None:
    """Few photos are searched for, and many are bits; some are not here, and some not any more."""
    random = np.random.default_rng(count)
    lists = plain_lists([(ids, ROWS)], COUNT)
    asked = random.permutation(int(ids[-1]) + 50)[:count] - 20
    left = random.random(COUNT) < 0.9
    here = np.isin(ids, asked)
    assert np.array_equal(lists.positions(asked), np.flatnonzero(here))
    query = unit_vectors(1, WIDTH, seed=5)
    for kept, found in (
        (here, lists.chosen(asked)),
        (here & left, lists.chosen(asked, left)),
    ):
        assert len(found) == kept.sum()
        assert np.array_equal(found.positions, np.flatnonzero(kept))
        assert np.array_equal(found.ids, ids[kept])
        if not kept.any():
            continue
        near = lists.search(query, len(found), found.selector, exact=True)[1][0]
        assert np.array_equal(np.sort(near), ids[kept])
