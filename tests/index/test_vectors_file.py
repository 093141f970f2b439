"""The file of vectors: used while it is current and sound, and made anew when it is not."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, OTHER_BUNDLE, child, finish, new_photo, new_photos, unit_vectors
from numpy.typing import NDArray
from optional import needs_limits

from index import Catalogue, CatalogueError, FaissIndex
from index.vectors import vector_file, vectors
from index.vectors.building import write_plain
from index.vectors.vector_file import Stamp, read_vectors

COUNT, WIDTH = 40, 24
QUERIES = unit_vectors(6, WIDTH, seed=1)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, new_photos(COUNT), unit_vectors(COUNT, WIDTH))
        FaissIndex.open(catalogue, BUNDLE)
    return folder


def file_in(folder: Path) -> Path:
    (file,) = (folder / "vectors").iterdir()
    return file


def answers(catalogue: Catalogue) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return FaissIndex.open(catalogue, BUNDLE).search(QUERIES, 2 * COUNT)


def check(catalogue: Catalogue) -> None:
    """That the index answers from the catalogue's vectors as they stand."""
    ids, vectors = catalogue.embeddings(BUNDLE)
    scores, found = answers(catalogue)
    expected = QUERIES @ vectors.astype(np.float32).T
    order = np.argsort(-expected, axis=1)
    assert np.array_equal(found, ids[order])
    np.testing.assert_allclose(scores, np.take_along_axis(expected, order, axis=1), atol=1e-5)


def forbid_reading_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them: those that changed may be read."""
    read = Catalogue.embedding_batches

    def batches(self: Catalogue, bundle_id: str, **limits: int) -> object:
        assert "after" in limits, "the vectors were read from SQLite"
        return read(self, bundle_id, **limits)

    monkeypatch.setattr(Catalogue, "embedding_batches", batches)


# Current


def test_a_current_file_spares_reading_the_vectors_from_sqlite(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalogue.open(library) as catalogue:
        before = answers(catalogue)
        content = file_in(library).read_bytes()
        forbid_reading_vectors(monkeypatch)

        for readonly in (False, True):
            with Catalogue.open(library, readonly=readonly) as again:
                after = answers(again)
                assert [a.tolist() for a in after] == [b.tolist() for b in before]

    assert file_in(library).read_bytes() == content


def test_a_library_that_was_moved_keeps_its_file(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(library, tmp_path / "elsewhere")
    forbid_reading_vectors(monkeypatch)

    with Catalogue.open(tmp_path / "elsewhere") as catalogue:
        assert len(FaissIndex.open(catalogue, BUNDLE)) == COUNT


def test_an_open_index_answers_on_when_its_file_is_replaced_or_deleted(library: Path) -> None:
    with Catalogue.open(library) as catalogue:
        index = FaissIndex.open(catalogue, BUNDLE)
        before = index.search(QUERIES, 10)
        catalogue.record(BUNDLE, new_photos(COUNT), unit_vectors(COUNT, WIDTH, seed=7))
        check(catalogue)
        shutil.rmtree(library / "vectors")

        assert [a.tolist() for a in index.search(QUERIES, 10)] == [b.tolist() for b in before]


# Stale

CHANGES: dict[str, Callable[[Catalogue], None]] = {
    "a photo added": lambda c: c.record(
        BUNDLE, [new_photo("/photos/new.jpg")], unit_vectors(1, WIDTH, seed=8)
    ),
    "a photo changed": lambda c: c.record(
        BUNDLE, [new_photo("/photos/00003.jpg", size=1)], unit_vectors(1, WIDTH, seed=8)
    ),
    "a photo gone": lambda c: c.mark_missing(["/photos/00003.jpg"]),
    "all photos gone": lambda c: c.mark_missing(c.paths("/", missing=False)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_a_little_behind_is_used_with_what_changed(
    library: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = file_in(library).read_bytes()
    with Catalogue.open(library) as catalogue:
        CHANGES[change](catalogue)

        with monkeypatch.context() as patch:
            forbid_reading_vectors(patch)
            index = FaissIndex.open(catalogue, BUNDLE)
        assert len(index) == catalogue.embedding_count(BUNDLE)
        if change == "all photos gone":
            assert answers(catalogue)[1].shape == (len(QUERIES), 0)
        else:
            check(catalogue)
    assert file_in(library).read_bytes() == content


@pytest.mark.parametrize("change", CHANGES)
def test_an_index_run_makes_the_file_anew(
    library: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalogue.open(library) as catalogue:
        CHANGES[change](catalogue)
        before = answers(catalogue)

        assert FaissIndex.refresh(catalogue, BUNDLE)

        assert catalogue.changed_since(catalogue.generation, catalogue.revision).tolist() == []
        assert np.array_equal(answers(catalogue)[1], before[1])
        content = file_in(library).read_bytes()
        forbid_reading_vectors(monkeypatch)
        FaissIndex.open(catalogue, BUNDLE)
        assert not FaissIndex.refresh(catalogue, BUNDLE)
        assert file_in(library).read_bytes() == content


def test_a_library_that_is_gone_is_not_made_anew_for_its_file(library: Path) -> None:
    with Catalogue.open(library) as catalogue:
        catalogue.record(BUNDLE, new_photos(1), unit_vectors(1, WIDTH, seed=9))
        library.rename(library.with_name("moved"))
        FaissIndex.refresh(catalogue, BUNDLE)
    assert not library.exists()


def test_after_many_changes_the_file_is_made_anew(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "_PATCHED", 10)
    content = file_in(library).read_bytes()
    with Catalogue.open(library) as catalogue:
        catalogue.record(BUNDLE, new_photos(10, start=100), unit_vectors(10, WIDTH, seed=8))
        check(catalogue)
        assert file_in(library).read_bytes() == content

        catalogue.mark_missing(["/photos/00003.jpg"])
        check(catalogue)
        assert file_in(library).read_bytes() != content


def test_a_change_after_what_is_forgotten_is_still_seen(library: Path) -> None:
    with Catalogue.open(library) as catalogue:
        CHANGES["a photo added"](catalogue)
        FaissIndex.refresh(catalogue, BUNDLE)
        CHANGES["a photo gone"](catalogue)

        check(catalogue)
        assert 4 not in answers(catalogue)[1]


def test_the_file_of_another_model_outlives_a_refresh_only_as_a_stale_one(library: Path) -> None:
    with Catalogue.open(library) as catalogue:
        catalogue.record(OTHER_BUNDLE, new_photos(3), unit_vectors(3, WIDTH, seed=2))
        FaissIndex.refresh(catalogue, OTHER_BUNDLE)
        catalogue.mark_missing(["/photos/00003.jpg"])
        FaissIndex.refresh(catalogue, OTHER_BUNDLE)

        check(catalogue)


def test_a_photo_that_came_back_is_found_again(library: Path) -> None:
    with Catalogue.open(library) as catalogue:
        catalogue.mark_missing(["/photos/00003.jpg"])
        answers(catalogue)
        catalogue.mark_present(["/photos/00003.jpg"])

        check(catalogue)
        assert 4 in answers(catalogue)[1]


def test_the_file_of_another_catalogue_is_not_taken_for_ours(library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with Catalogue.open(other) as catalogue:
        catalogue.record(BUNDLE, new_photos(COUNT), unit_vectors(COUNT, WIDTH, seed=9))
        shutil.copytree(library / "vectors", other / "vectors")

        check(catalogue)


def test_after_an_older_catalogue_is_put_back_the_file_is_not_taken_for_its_own(
    library: Path,
) -> None:
    path = library / "catalogue.db"
    older = path.read_bytes()
    with Catalogue.open(library) as catalogue:
        CHANGES["a photo added"](catalogue)
        answers(catalogue)

    path.write_bytes(older)
    with Catalogue.open(library) as catalogue:
        CHANGES["a photo changed"](catalogue)  # the same generation as that of the file

        check(catalogue)


# Damaged


def flipped(content: bytes, position: int) -> bytes:
    damaged = bytearray(content)
    damaged[position] ^= 1 << (position % 8)
    return bytes(damaged)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "without its first byte": lambda content: content[1:],
    "empty": lambda content: b"",
    "a few bytes": lambda content: b"abc",
    "zeros": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"\0",
    "all ones at the end": lambda content: content[:-16] + b"\xff" * 8 + content[-8:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew_as_it_was(library: Path, damage: str) -> None:
    file = file_in(library)
    content = file.read_bytes()
    file.write_bytes(DAMAGES[damage](content))

    with Catalogue.open(library) as catalogue:
        check(catalogue)

    assert file_in(library).read_bytes() == content


def test_one_flipped_bit_anywhere_is_noticed(library: Path) -> None:
    file = file_in(library)
    content = file.read_bytes()
    positions = [*range(0, len(content), 31), *range(len(content) - 150, len(content))]

    with Catalogue.open(library) as catalogue:
        for position in positions:
            file.write_bytes(flipped(content, position))
            FaissIndex.open(catalogue, BUNDLE)
            assert file.read_bytes() == content, position


def test_a_deleted_file_or_folder_loses_nothing(library: Path) -> None:
    content = file_in(library).read_bytes()
    with Catalogue.open(library) as catalogue:
        file_in(library).unlink()
        check(catalogue)
        assert file_in(library).read_bytes() == content

        shutil.rmtree(library / "vectors")
        check(catalogue)
        assert file_in(library).read_bytes() == content


def test_a_sound_file_that_this_faiss_cannot_read_is_made_anew(library: Path) -> None:
    file = file_in(library)
    content = file.read_bytes()
    _, _, magic = footer = struct.Struct("<II8s").unpack(content[-16:])
    text = content[-16 - footer[0] : -16]
    length = json.loads(text)["length"]
    foreign = content[: length - 20 * COUNT].translate(bytes(range(1, 256)) + b"\0")
    foreign += content[len(foreign) : length]
    tail = struct.pack("<I", zlib.crc32(foreign)) + text
    file.write_bytes(foreign + tail + struct.pack("<II8s", len(text), zlib.crc32(tail), magic))

    with Catalogue.open(library) as catalogue:
        check(catalogue)

    assert file_in(library).read_bytes() == content


def test_of_a_large_file_opening_checks_what_faiss_relies_on_and_an_index_run_all(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_file, "_SMALL", 0)
    monkeypatch.setattr(vector_file, "_BLOCK", 64)
    file = file_in(library)
    file.unlink()
    with Catalogue.open(library) as catalogue:
        FaissIndex.open(catalogue, BUNDLE)
        content = file.read_bytes()
        length, _, _ = struct.unpack("<II8s", content[-16:])
        about = json.loads(content[-16 - length : -16])
        vectors_of_photos = (about["structure"] // 64 + 1) * 64, about["ids_at"] // 64 * 64
        ids = about["ids_at"], about["length"]
        assert vectors_of_photos[1] - vectors_of_photos[0] > COUNT * WIDTH

        for position in (*range(0, about["structure"], 5), *range(*ids, 7)):
            file.write_bytes(flipped(content, position))
            FaissIndex.open(catalogue, BUNDLE)
            assert file.read_bytes() == content, position
        for position in range(*vectors_of_photos, 101):
            file.write_bytes(flipped(content, position))
            assert len(FaissIndex.open(catalogue, BUNDLE)) == COUNT
            assert file.read_bytes() != content
            assert FaissIndex.refresh(catalogue, BUNDLE)
            assert file.read_bytes() == content, position


# Where it cannot be written


def test_a_readonly_catalogue_is_searched_without_writing_the_file(library: Path) -> None:
    shutil.rmtree(library / "vectors")
    with Catalogue.open(library, readonly=True) as catalogue:
        check(catalogue)

    assert not (library / "vectors").exists()


def test_a_search_works_where_the_file_cannot_be_written(library: Path) -> None:
    shutil.rmtree(library / "vectors")
    (library / "vectors").write_text("a file where the folder should be")

    with Catalogue.open(library) as catalogue:
        check(catalogue)

    assert (library / "vectors").read_text() == "a file where the folder should be"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from catalogue_data import BUNDLE, unit_vectors
from index import Catalogue, FaissIndex
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    # No file may grow beyond 1,000 bytes: the write fails in the middle, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    print(FaissIndex.open(catalogue, BUNDLE).search(unit_vectors(1, 24), 1)[1][0, 0])
"""


@needs_limits
def test_a_search_works_on_a_full_disk_and_leaves_no_half_file(library: Path) -> None:
    file_in(library).unlink()

    assert finish([child(FULL_DISK, library)]) == ["1\n"]
    assert list((library / "vectors").iterdir()) == []


@pytest.mark.parametrize("bundle_id", ["../../outside", "a/b", "..", "C:\\x", "été 1", "x" * 100])
def test_any_bundle_id_makes_one_file_in_the_folder(tmp_path: Path, bundle_id: str) -> None:
    folder = tmp_path / "a" / "library"
    with Catalogue.open(folder) as catalogue:
        catalogue.record(bundle_id, new_photos(1), unit_vectors(1, WIDTH))
        FaissIndex.open(catalogue, bundle_id)

    assert file_in(folder).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["library"]


def test_a_catalogue_that_cannot_be_read_is_no_reason_to_answer_from_the_file(
    library: Path,
) -> None:
    path = library / "catalogue.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)

    with pytest.raises(CatalogueError, match="damaged"), Catalogue.open(library) as catalogue:
        FaissIndex.open(catalogue, BUNDLE)


def test_a_file_that_another_thread_has_made_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    path, rows = tmp_path / "file", unit_vectors(COUNT, WIDTH).astype(np.float16)

    def batches(generation: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        yield np.arange(COUNT // 2), rows[: COUNT // 2]
        if generation == 1:
            # Another thread begins and ends while this one is at it.
            with ThreadPoolExecutor(1) as other:
                done = other.submit(write_plain, path, Stamp(2, "a"), batches(2), COUNT)
                assert done.result()
        yield np.arange(COUNT // 2, COUNT), rows[COUNT // 2 :]

    assert not write_plain(path, Stamp(1, "a"), batches(1), COUNT)
    loaded = read_vectors(path, whole=True)
    assert loaded is not None
    assert loaded[1] == Stamp(2, "a")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
