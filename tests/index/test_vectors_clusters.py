"""The index in clusters: nearly all of the exact answers, and exactly those where ids are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, new_photo, new_photos, unit_vectors
from clustered_data import COUNT, WIDTH, like_photos, like_texts, make_library, nearest, recall
from numpy.typing import NDArray

from index import Catalogue, FaissIndex
from index.vectors import vectors
from index.vectors.building import RECALL
from index.vectors.vector_file import read_vectors


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "CLUSTERED_FROM", COUNT - 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "CLUSTERED_FROM", COUNT - 1000)
        return make_library(tmp_path_factory.mktemp("clusters") / "library")


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "library"))


@pytest.mark.slow
def test_clusters_are_made_and_only_some_are_looked_through(made: Path) -> None:
    (file,) = (made / "vectors").iterdir()
    loaded = read_vectors(file)
    assert loaded is not None
    lists, _ = loaded
    assert 0 < lists.probes[10] <= lists.index.nlist / 4
    assert RECALL <= lists.recall <= 1


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("queries", [like_photos(60, seed=3), like_texts()], ids=["photo", "text"])
def test_recall_is_what_was_asked_for(made: Path, k: int, queries: NDArray[np.float32]) -> None:
    with Catalogue.open(made, readonly=True) as catalogue:
        scores, found = FaissIndex.open(catalogue, BUNDLE).search(queries, k)

        assert found.shape == (len(queries), k)
        assert (np.diff(scores, axis=1) <= 0).all()
        assert recall(found, nearest(catalogue, queries, k, None)) >= RECALL


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("queries", [like_photos(60, seed=3), like_texts()], ids=["photo", "text"])
def test_nearly_all_that_score_so_much_are_found(
    made: Path, queries: NDArray[np.float32], share: float
) -> None:
    with Catalogue.open(made, readonly=True) as catalogue:
        index = FaissIndex.open(catalogue, BUNDLE)
        ids, rows = catalogue.embeddings(BUNDLE)
        for among in (None, ids[::3]):
            kept = slice(None) if among is None else slice(None, None, 3)
            missed = expected = 0
            for query in queries:
                truth = rows[kept].astype(np.float32) @ query
                least = float(np.sort(truth)[-round(share * len(truth))])
                # Half of the times it is said by how much less they score than the best.
                gap = float(truth.max()) - least + 1e-6 if share in (0.01, 0.1) else np.inf
                said = least - 1e-6 if gap == np.inf else -1.0
                scores, found = index.within(query, said, gap, among=among)
                reaching = ids[kept][truth >= least]
                assert np.isin(found, reaching).mean() > 0.99
                assert (np.diff(scores) <= 0).all()
                missed += len(np.setdiff1d(reaching, found))
                expected += len(reaching)
            assert missed <= (0 if among is not None else (1 - RECALL) * expected)


@pytest.mark.parametrize("size", [1, 30, 3000])
def test_a_filtered_search_is_exact(made: Path, size: int) -> None:
    among = np.random.default_rng(size).choice(np.arange(1, COUNT + 1), size, replace=False)
    queries = like_photos(5, seed=4)
    with Catalogue.open(made, readonly=True) as catalogue:
        found = FaissIndex.open(catalogue, BUNDLE).search(queries, 20, among=among)[1]

        assert np.array_equal(found, nearest(catalogue, queries, 20, among))


def test_asking_for_all_gives_all(made: Path) -> None:
    with Catalogue.open(made, readonly=True) as catalogue:
        index = FaissIndex.open(catalogue, BUNDLE)
        found = index.search(like_photos(2, seed=4), 10_000)[1]

        assert found.shape == (2, len(index))
        assert np.array_equal(np.sort(found[0]), catalogue.embeddings(BUNDLE)[0])


def test_what_came_and_went_since_is_found_and_not_found(library: Path) -> None:
    fresh = like_photos(30, seed=7)
    with Catalogue.open(library) as catalogue:
        content = next((library / "vectors").iterdir()).read_bytes()
        catalogue.record(BUNDLE, new_photos(30, start=COUNT), fresh)
        gone = [f"/photos/{number:05d}.jpg" for number in range(1, 2000, 9)]
        catalogue.mark_missing(gone)
        # A photo that now shows something else.
        catalogue.record(BUNDLE, [new_photo("/photos/00005.jpg", size=7)], fresh[:1])
        index = FaissIndex.open(catalogue, BUNDLE)

        assert len(index) == catalogue.embedding_count(BUNDLE)
        scores, found = index.search(fresh, 2)
        assert np.array_equal(np.sort(found[0]), [6, COUNT + 1])
        assert np.array_equal(found[1:, 0], np.arange(COUNT + 2, COUNT + 31))
        np.testing.assert_allclose(scores[:, 0], 1, atol=1e-3)
        queries = like_photos(60, seed=8)
        assert recall(index.search(queries, 10)[1], nearest(catalogue, queries, 10, None)) >= RECALL
        among = np.arange(1, COUNT + 31, 4)
        assert np.array_equal(
            index.search(queries, 10, among=among)[1], nearest(catalogue, queries, 10, among)
        )
        scores, found = index.within(fresh[0], 0.99)
        assert np.array_equal(np.sort(found), [6, COUNT + 1])
        gathered = index.gather(np.array([2, 6, 7, COUNT + 3]))  # the second one is missing
        assert gathered.ids.tolist() == [6, 7, COUNT + 3]
        stored = fresh[[0, 2]] @ fresh[0]
        np.testing.assert_allclose(gathered.scores(fresh[0])[[0, 2]], stored, atol=1e-3)
        assert next((library / "vectors").iterdir()).read_bytes() == content


def test_nearest_photos_that_are_all_gone_make_way_for_others(library: Path) -> None:
    query = like_photos(1, seed=11)
    with Catalogue.open(library) as catalogue:
        near = nearest(catalogue, query, 2500, None)[0]
        catalogue.mark_missing([photo.path for photo in catalogue.photos(near.tolist())])

        found = FaissIndex.open(catalogue, BUNDLE).search(query, 100)[1]
        assert found.shape == (1, 100)
        assert not np.isin(found, near).any()


def test_a_damaged_file_is_replaced_at_once_and_clustered_again_by_an_index_run(
    library: Path,
) -> None:
    (file,) = (library / "vectors").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    queries = like_photos(10, seed=4)
    with Catalogue.open(library) as catalogue:
        found = FaissIndex.open(catalogue, BUNDLE).search(queries, 10)[1]
        assert np.array_equal(found, nearest(catalogue, queries, 10, None))
        loaded = read_vectors(file)
        assert loaded is not None
        assert not loaded[0].probes

        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        loaded = read_vectors(file)
        assert loaded is not None
        assert loaded[0].probes
        assert not FaissIndex.refresh(catalogue, BUNDLE, like_texts)


@pytest.mark.slow
def test_vectors_that_do_not_cluster_stay_exact(tmp_path: Path) -> None:
    # In no direction more than in any other: every list would have to be looked through.
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(COUNT), unit_vectors(COUNT, WIDTH))
        asked: list[None] = []

        def queries() -> NDArray[np.float32]:
            asked.append(None)
            return unit_vectors(20, WIDTH, seed=1)

        assert FaissIndex.refresh(catalogue, BUNDLE, queries)
        assert not FaissIndex.refresh(catalogue, BUNDLE, queries)
        assert asked == [None]
        found = FaissIndex.open(catalogue, BUNDLE).search(queries(), 10)[1]
        assert np.array_equal(found, nearest(catalogue, unit_vectors(20, WIDTH, seed=1), 10, None))
