"""Vector search: the answers of brute force, on float16 vectors, filtered or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, new_photos, unit_vectors
from numpy.typing import NDArray

from index import Catalogue, FaissIndex, VectorIndex

COUNT, WIDTH = 500, 48


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 photos; every tenth is missing, so ids and rows of the index differ."""
    folder = tmp_path_factory.mktemp("vectors") / "library"
    photos = new_photos(COUNT)
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, photos, unit_vectors(COUNT, WIDTH))
        catalogue.mark_missing([photo.path for photo in photos[::10]])
    return folder


# Built in this process, and mapped from the file that the first one wrote.
@pytest.fixture(scope="module", params=["built", "loaded"])
def index(request: pytest.FixtureRequest, library: Path) -> VectorIndex:
    with Catalogue.open(library, readonly=request.param == "built") as catalogue:
        if request.param == "loaded":
            FaissIndex.open(catalogue, BUNDLE)
        return FaissIndex.open(catalogue, BUNDLE)


def brute_force(
    library: Path, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    with Catalogue.open(library, readonly=True) as catalogue:
        ids, vectors = catalogue.embeddings(BUNDLE)
    if among is not None:
        kept = np.isin(ids, among)
        ids, vectors = ids[kept], vectors[kept]
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), ids[order]


@pytest.mark.parametrize("k", [1, 10, 450])
def test_the_nearest_are_those_of_brute_force(index: VectorIndex, library: Path, k: int) -> None:
    queries = unit_vectors(7, WIDTH, seed=1)

    scores, ids = index.search(queries, k)

    expected_scores, expected_ids = brute_force(library, queries, k)
    assert (scores.dtype, ids.dtype) == (np.float32, np.int64)
    assert np.array_equal(ids, expected_ids)
    # Float16 vectors, float32 sums: rounding of the stored vectors alone would be a hundredfold.
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [1, 5, 60, 499])
@pytest.mark.parametrize("k", [1, 20])
def test_a_filtered_search_gives_the_true_nearest_among_those_ids(
    index: VectorIndex, library: Path, size: int, k: int
) -> None:
    queries = unit_vectors(5, WIDTH, seed=2)
    among = np.random.default_rng(size).choice(np.arange(1, COUNT + 1), size, replace=False)

    scores, ids = index.search(queries, k, among=among)

    expected_scores, expected_ids = brute_force(library, queries, k, among)
    assert np.array_equal(ids, expected_ids)
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [None, 0, 3, 300])
@pytest.mark.parametrize("gap", [np.inf, 0.2, 0.0])
@pytest.mark.parametrize("least", [0.9, 0.25, 0.0, -1.0])
def test_those_that_score_so_much_are_those_of_brute_force(
    index: VectorIndex, library: Path, least: float, gap: float, size: int | None
) -> None:
    query = unit_vectors(1, WIDTH, seed=6)
    every = np.arange(1, COUNT + 1)
    among = None if size is None else np.random.default_rng(size).choice(every, size, replace=False)

    scores, ids = index.within(query[0], least, gap, among=among)

    expected_scores, expected_ids = brute_force(library, query, COUNT, among)
    best = expected_scores[0].max(initial=-1.0)
    count = int((expected_scores[0] >= max(least, best - gap - 1e-7)).sum())
    assert (scores.dtype, ids.dtype) == (np.float32, np.int64)
    assert np.array_equal(ids, expected_ids[0, :count])
    np.testing.assert_allclose(scores, expected_scores[0, :count], rtol=0, atol=1e-6)


def test_of_the_same_score_the_photo_that_came_first_is_first(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(90), np.tile(unit_vectors(3, WIDTH), (30, 1)))
        found = FaissIndex.open(catalogue, BUNDLE).within(unit_vectors(1, WIDTH)[0], 0.99)[1]
        assert found.tolist() == list(range(1, 91, 3))


def test_photos_taken_out_score_as_in_a_search(index: VectorIndex) -> None:
    query = unit_vectors(1, WIDTH, seed=7)
    asked = np.array([9, 402, 3, 9, 1, -5, 10**12])  # 1 is a missing photo

    gathered = index.gather(asked)

    scores, ids = index.search(query, 5, among=asked)
    assert gathered.ids.tolist() == [3, 9, 402]
    order = np.argsort(ids[0])
    np.testing.assert_allclose(gathered.scores(query[0]), scores[0][order], rtol=0, atol=1e-6)
    assert index.gather(np.array([1])).scores(query[0]).shape == (0,)


def test_a_filter_reaches_photos_that_are_far_from_the_query(
    index: VectorIndex, library: Path
) -> None:
    query = unit_vectors(1, WIDTH, seed=3)
    farthest = brute_force(library, query, COUNT)[1][0, -4:]

    assert index.search(query, 4, among=np.sort(farthest))[1].tolist() == [farthest.tolist()]


def test_a_filter_may_repeat_ids_and_name_ones_that_are_not_there(
    index: VectorIndex, library: Path
) -> None:
    queries = unit_vectors(2, WIDTH, seed=4)
    among = np.array([9, 9, 9, 1, 11, -5, 10**12, 8, 8])  # 1 and 11 are missing photos

    scores, ids = index.search(queries, 5, among=among)

    assert scores.shape == (2, 2)
    assert np.array_equal(ids, brute_force(library, queries, 5, among)[1])


@pytest.mark.parametrize("among", [[], [1], [-1, 10**12]])
def test_a_filter_that_fits_no_photo_gives_nothing(index: VectorIndex, among: list[int]) -> None:
    scores, ids = index.search(unit_vectors(2, WIDTH), 5, among=np.array(among, np.int64))

    assert scores.shape == ids.shape == (2, 0)
    assert (scores.dtype, ids.dtype) == (np.float32, np.int64)


def test_asking_for_more_than_there_are_gives_all(index: VectorIndex) -> None:
    scores, ids = index.search(unit_vectors(2, WIDTH), 10_000)

    assert len(index) == 450
    assert ids.shape == scores.shape == (2, 450)
    assert len(set(ids[0].tolist())) == 450
    assert (np.diff(scores, axis=1) <= 0).all()


def test_photos_with_the_same_vector_are_all_found(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(6), np.repeat(unit_vectors(2, WIDTH), 3, axis=0))
        index = FaissIndex.open(catalogue, BUNDLE)

    assert set(index.search(unit_vectors(1, WIDTH), 3)[1][0].tolist()) == {1, 2, 3}


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_none_gives_none(index: VectorIndex, k: int) -> None:
    assert index.search(unit_vectors(2, WIDTH), k)[1].shape == (2, 0)


def test_no_query_gives_no_row(index: VectorIndex) -> None:
    assert index.search(np.empty((0, WIDTH), np.float32), 5)[1].shape == (0, 0)


def test_queries_may_be_of_any_layout_and_precision(index: VectorIndex, library: Path) -> None:
    queries = np.asfortranarray(unit_vectors(9, WIDTH, seed=5))[::2]
    expected = brute_force(library, queries, 5)[1]

    assert np.array_equal(index.search(queries, 5)[1], expected)
    assert np.array_equal(index.search(queries.astype(np.float64), 5)[1], expected)


@pytest.mark.parametrize(
    "queries",
    [
        np.ones((2, WIDTH - 1), np.float32),
        np.ones(WIDTH, np.float32),
        np.full((1, WIDTH), np.nan, np.float32),
    ],
    ids=["width", "one dimension", "not a number"],
)
def test_queries_that_cannot_be_answered_are_refused(
    index: VectorIndex, queries: NDArray[np.float32]
) -> None:
    with pytest.raises(ValueError, match="queries"):
        index.search(queries, 5)


def test_a_library_without_photos_has_an_index_that_finds_nothing(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        for _ in range(2):  # built, then loaded
            index = FaissIndex.open(catalogue, BUNDLE)

            assert len(index) == 0
            assert index.search(unit_vectors(2, WIDTH), 5)[1].shape == (2, 0)
            among = np.array([1, 2])
            assert index.search(unit_vectors(2, WIDTH), 5, among=among)[1].shape == (2, 0)


def test_each_bundle_is_searched_apart(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record("a-1", new_photos(3), unit_vectors(3, 16))
        catalogue.record("b-1", new_photos(2), unit_vectors(2, 24))

        assert FaissIndex.open(catalogue, "a-1").search(unit_vectors(1, 16), 5)[1].size == 3
        assert FaissIndex.open(catalogue, "b-1").search(unit_vectors(1, 24), 5)[1].size == 2
