"""A library that is too large for all of it to be compared, with the large made small."""

from __future__ import annotations

import os
import shutil
import signal
import struct
from pathlib import Path

import faiss
import numpy as np
import pytest
from catalogue_data import BUNDLE, child, new_photo, new_photos, unit_vectors
from clustered_data import COUNT, WIDTH, like_photos, like_texts, make_library, nearest, recall

from index import Catalogue, FaissIndex
from index.safety.agreement import file_state
from index.vectors import building, first_look, list_writer, opened_file, vector_lists, vectors
from index.vectors.building import write_plain
from index.vectors.list_writer import ListWriter
from index.vectors.vector_file import Stamp, read_vectors
from index.vectors.vector_lists import empty_index, plain_lists

pytestmark = pytest.mark.slow

# Of a large library with a first look that has to choose.
LARGE = {
    (vectors, "CLUSTERED_FROM"): COUNT - 1000,
    (vectors, "_STREAMED_FROM"): COUNT - 1000,
    (vector_lists, "LARGE_FROM"): COUNT - 1000,
    (building, "LARGE_FROM"): COUNT - 1000,
    (vector_lists, "_WITHOUT_LOOK"): 0,
    (vector_lists, "_FEW_CHOSEN"): 100,
    (vector_lists, "_MOST_MAPPED"): 1 << 17,
    (opened_file, "_MAPPED_WHOLE"): 1 << 17,
    (first_look, "_AGAIN"): 300,
    (first_look, "_SHARE"): 4,
    (first_look, "_CHOSEN_SHARE"): 2,
    (list_writer, "_HELD"): 1000,
}


def make_large(patch: pytest.MonkeyPatch) -> None:
    for (module, name), value in LARGE.items():
        patch.setattr(module, name, value)


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    make_large(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        make_large(patch)
        return make_library(tmp_path_factory.mktemp("large") / "library")


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "library"))


def file_in(folder: Path) -> Path:
    (file,) = (folder / "vectors").iterdir()
    return file


@pytest.mark.parametrize("count", [3, 9, 500])
def test_lists_are_written_as_faiss_writes_them(tmp_path: Path, count: int) -> None:
    rows = unit_vectors(count, WIDTH).astype(np.float16)
    ids = np.arange(7, 7 + count)
    index = empty_index(WIDTH, 16)
    index.train(unit_vectors(1000, WIDTH, seed=1))
    lists = index.quantizer.search(rows.astype(np.float32), 1)[1][:, 0].astype(np.int32)
    path = tmp_path / "lists"
    with open(path, "w+b") as file:
        writer = ListWriter(file, index, np.bincount(lists, minlength=16).astype(np.int64))
        for part in range(0, count, 90):
            some = slice(part, part + 90)
            writer.put(lists[some], ids[some], rows[some])
        writer.flush()

    index.add_with_ids(rows.astype(np.float32), ids)
    faiss.write_index(index, str(tmp_path / "expected"))
    assert path.read_bytes() == (tmp_path / "expected").read_bytes()
    assert writer.length == path.stat().st_size


def test_what_is_not_clustered_is_written_the_same_in_pieces(tmp_path: Path) -> None:
    count = 2 * vector_lists.PIECE + 5
    rows = like_photos(count, seed=1).astype(np.float16)
    batches = [
        (np.arange(at, min(at + 999, count)), rows[at : at + 999]) for at in range(0, count, 999)
    ]
    assert write_plain(tmp_path / "file", Stamp(1, "a"), batches, count)
    loaded = read_vectors(tmp_path / "file", whole=True)
    assert loaded is not None
    queries = like_texts()[:5]
    found, expected = loaded[0].search(queries, 20), plain_lists(batches, count).search(queries, 20)
    assert np.array_equal(found[1], expected[1])
    assert np.array_equal(found[0], expected[0])


def test_what_is_looked_at_in_pieces_and_let_go_of_is_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_lists, "_PIECE_BYTES", 1 << 16)
    count = 3 * vector_lists.PIECE + 5
    rows = like_photos(count, seed=1).astype(np.float16)
    batches = [(np.arange(count), rows)]
    assert write_plain(tmp_path / "file", Stamp(1, "a"), batches, count)
    loaded = read_vectors(tmp_path / "file")
    assert loaded is not None
    query = like_texts()[0]
    expected = plain_lists(batches, count).within(query, -1.0, 0.2)
    assert 0 < len(expected[1]) < count
    for _ in range(2):  # the first time in pieces, and then at once
        scores, ids = loaded[0].within(query, -1.0, 0.2)
        order = np.argsort(ids)
        assert np.array_equal(ids[order], np.sort(expected[1]))
        assert np.array_equal(scores[order], expected[0][np.argsort(expected[1])])


def test_what_does_not_cluster_leaves_nothing_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = unit_vectors(COUNT, WIDTH).astype(np.float16)
    ids = np.arange(1, COUNT + 1)

    def read(every: int) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(ids[ids % every == 0], rows[ids % every == 0])]

    # Or a first look would answer in place of clusters.
    monkeypatch.setattr(building, "LARGE_FROM", COUNT + 1)
    with pytest.raises(building.NoClustersError):
        building.write_clusters(tmp_path / "file", Stamp(1, "a"), read, COUNT)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("queries", [like_photos(60, seed=3), like_texts()], ids=["photo", "text"])
@pytest.mark.parametrize("share", [1, 2, 5, 40, 200])
def test_nearly_all_of_the_nearest_are_found_with_and_without_a_filter(
    made: Path, k: int, queries: np.ndarray, share: int
) -> None:
    with Catalogue.open(made, readonly=True) as catalogue:
        index = FaissIndex.open(catalogue, BUNDLE)
        ids, _ = catalogue.embeddings(BUNDLE)
        among = None if share == 1 else ids[::share]
        truth = nearest(catalogue, queries, k, among)
        for _ in range(2):  # what is known of a filter is used again
            scores, found = index.search(queries, k, among=among)
            assert recall(found[:, : truth.shape[1]], truth) >= 0.98
            assert (np.diff(scores, axis=1) <= 0).all()
        assert share > 5 or index._lists.look is not None


@pytest.mark.parametrize("among", [None, 3, 70])
def test_nearly_all_that_score_so_much_are_found(made: Path, among: int | None) -> None:
    with Catalogue.open(made, readonly=True) as catalogue:
        index = FaissIndex.open(catalogue, BUNDLE)
        ids, rows = catalogue.embeddings(BUNDLE)
        ids, rows = ids[::among], rows[::among].astype(np.float32)
        missed = expected = 0
        for query in like_texts():
            truth = rows @ query
            for share in (0.002, 0.02, 0.5):  # the last are more than are looked at by themselves
                least = float(np.sort(truth)[-max(1, round(share * len(truth)))])
                _, found = index.within(
                    query,
                    -1.0,
                    float(truth.max()) - least + 1e-6,
                    among=None if among is None else ids,
                )
                reaching = ids[truth >= least]
                assert np.isin(found, reaching).mean() > 0.99
                missed += len(np.setdiff1d(reaching, found))
                expected += len(reaching)
        assert missed <= 0.02 * expected


def test_a_filter_of_photos_that_are_alike_is_no_trap(made: Path) -> None:
    # All of one subject, while another is asked for: none of the nearest lists has any of them.
    with Catalogue.open(made, readonly=True) as catalogue:
        ids, rows = catalogue.embeddings(BUNDLE)
        among = np.sort(
            ids[np.argsort(-(rows.astype(np.float32) @ like_photos(1, seed=9)[0]))[:150]]
        )
        queries = like_photos(20, seed=4)
        found = FaissIndex.open(catalogue, BUNDLE).search(queries, 10, among=among)[1]
        assert found.shape == (20, 10)
        assert np.isin(found, among).all()
        assert recall(found, nearest(catalogue, queries, 10, among)) >= 0.9


def test_what_came_and_went_since_is_found_and_not_found(library: Path) -> None:
    fresh = like_photos(30, seed=7)
    with Catalogue.open(library) as catalogue:
        content = file_in(library).read_bytes()
        catalogue.record(BUNDLE, new_photos(30, start=COUNT), fresh)
        gone = [f"/photos/{number:05d}.jpg" for number in range(1, 2000, 9)]
        catalogue.mark_missing(gone)
        index = FaissIndex.open(catalogue, BUNDLE)
        assert np.array_equal(index.search(fresh, 1)[1][:, 0], np.arange(COUNT + 1, COUNT + 31))
        queries = like_photos(60, seed=8)
        assert recall(index.search(queries, 10)[1], nearest(catalogue, queries, 10, None)) >= 0.98
        among = catalogue.selection.ids(())
        assert (
            recall(
                index.search(queries, 10, among=among)[1], nearest(catalogue, queries, 10, among)
            )
            >= 0.98
        )
        assert file_in(library).read_bytes() == content


def test_a_file_without_a_first_look_still_answers(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = like_texts()
    with Catalogue.open(made, readonly=True) as catalogue:
        monkeypatch.setattr(vector_lists, "_WITHOUT_LOOK", 1 << 30)
        index = FaissIndex.open(catalogue, BUNDLE)
        assert recall(index.search(queries, 10)[1], nearest(catalogue, queries, 10, None)) >= 0.98
        ids, _ = catalogue.embeddings(BUNDLE)
        found = index.search(queries, 10, among=ids[::2])[1]
        assert np.array_equal(found, nearest(catalogue, queries, 10, ids[::2]))


def test_damage_in_what_is_looked_at_first_is_found_and_not_used(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.vectors.vector_file._SMALL", 0)
    monkeypatch.setattr("index.vectors.vector_file._BLOCK", 1 << 12)
    file = file_in(library)
    with Catalogue.open(library) as catalogue:
        file.unlink()
        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        assert file_state(catalogue, BUNDLE) == "sound"
        content = bytearray(file.read_bytes())
        at = content.rfind(b"ilbs") if b"ilbs" in content else content.rfind(b"IwPf")
        assert at > 0
        content[at + (1 << 14)] ^= 1
        file.write_bytes(content)
        assert file_state(catalogue, BUNDLE) == "damaged"
        index = FaissIndex.open(catalogue, BUNDLE)
        queries = like_texts()
        assert recall(index.search(queries, 10)[1], nearest(catalogue, queries, 10, None)) >= 0.98
        assert index._lists.look is None
        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        assert file_state(catalogue, BUNDLE) == "sound"


KILL_WHILE_BUILDING = """
import os, signal, sys
from pathlib import Path
from catalogue_data import BUNDLE
from index import Catalogue, FaissIndex
from index.vectors import building, list_writer, vector_lists, vectors
vectors.CLUSTERED_FROM = vector_lists.LARGE_FROM = building.LARGE_FROM = 1000
list_writer._HELD = 1000
flush, flushed = list_writer.ListWriter.flush, []
def die(self):
    flush(self)
    flushed.append(self)
    if len(flushed) == 2:
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
list_writer.ListWriter.flush = die
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    FaissIndex.refresh(catalogue, BUNDLE)
"""


def test_a_process_killed_while_it_builds_leaves_the_old_file_in_use(library: Path) -> None:
    file = file_in(library)
    old = file.read_bytes()
    with Catalogue.open(library) as catalogue:
        new = [
            new_photo(f"/photos/{number:05d}.jpg", size=9) for number in range(COUNT, COUNT + 200)
        ]
        catalogue.record(BUNDLE, new, like_photos(200, seed=4))
    process = child(KILL_WHILE_BUILDING, library)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    assert file.read_bytes() == old
    assert len(os.listdir(library / "vectors")) == 2

    with Catalogue.open(library) as catalogue:
        assert len(FaissIndex.open(catalogue, BUNDLE)) == catalogue.embedding_count(BUNDLE)
        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        assert file_state(catalogue, BUNDLE) == "sound"
    assert os.listdir(library / "vectors") == [file.name]


def test_where_faiss_writes_otherwise_all_are_found_without_a_file(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later FAISS might: the file only saves time."""
    file = file_in(library)
    file.unlink()
    monkeypatch.setattr(list_writer, "_LISTS", struct.Struct("<4sQQ4sQ4x"))
    with Catalogue.open(library) as catalogue:
        FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        assert list((library / "vectors").iterdir()) == []
        index = FaissIndex.open(catalogue, BUNDLE)
        vector = unit_vectors(1, WIDTH)
        assert len(index.search(vector, 10)[1][0]) == 10
