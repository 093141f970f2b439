"""Index runs of a real library over real pictures: what is done, what is kept, what is told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from index_runs import (
    all_below,
    failed,
    found,
    ids,
    indexed,
    nested,
    recognised,
    run,
    summary,
    vectors,
)
from PIL import Image

from photosearch import Absent, Indexed, Library, Started, UsageError
from photosearch.indexing import decoding


@pytest.fixture
def photos(tmp_path: Path, pictures: Path) -> Path:
    return nested(pictures, tmp_path / "photos")


def test_a_first_run(library: Library, photos: Path) -> None:
    events = run(library, photos)
    assert events[0] == Started(total=6, unchanged=0)
    assert summary(events) == (6, 0, 0, 0)
    assert indexed(events) == all_below(photos)
    assert failed(events) == {}
    assert sum(len(event.paths) for event in events if isinstance(event, Indexed)) == 6
    assert found(library) == all_below(photos)
    status = library.status()
    assert (status.photos, status.encoded, status.missing, status.problems) == (6, 6, 0, [])
    assert status.folders == [str(photos)]
    assert status.model == library.models.encoder.bundle_id


def test_vectors_are_those_of_the_encoder(library: Library, photos: Path) -> None:
    run(library, photos)
    for path, vector in vectors(library).items():
        with Image.open(path) as image:
            expected = library.models.encoder.encode_images([image])[0]
        assert float(vector.astype(np.float32) @ expected) > 0.999, path


def test_hits_are_ordered_and_measured(library: Library, photos: Path) -> None:
    run(library, photos)
    hits = library.search("a cup of coffee", limit=4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    query = library.models.encoder.encode_texts(["a cup of coffee"])[0]
    rows = vectors(library)
    for hit in hits:
        assert hit.score == pytest.approx(
            float(rows[hit.path].astype(np.float32) @ query), abs=1e-3
        )
        with Image.open(hit.path) as image:
            assert (hit.width, hit.height) == image.size


def test_an_empty_folder(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    events = run(library, tmp_path / "empty")
    assert events[0] == Started(0, 0)
    assert summary(events) == (0, 0, 0, 0)
    assert library.search("a cat") == []


def test_a_second_run_reads_nothing(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    before = vectors(library)

    def refuse(*_: object) -> None:
        raise AssertionError("a file is read")

    monkeypatch.setattr(decoding, "DecodeWorkers", refuse)
    events = run(library, photos)
    assert events[0] == Started(6, 6)
    assert summary(events) == (0, 6, 0, 0)
    assert summary(run(library, photos / "below")) == (0, 2, 0, 0)
    assert vectors(library).keys() == before.keys()


@pytest.mark.slow
def test_a_new_photo_is_added(library: Library, photos: Path) -> None:
    run(library, photos)
    with Image.open(photos / "chelsea.png") as image:
        image.crop((0, 0, 200, 100)).save(photos / "new.png")
    events = run(library, photos)
    assert summary(events) == (1, 6, 0, 0)
    assert indexed(events) == {str(photos / "new.png")}


@pytest.mark.slow
def test_an_edited_photo_is_encoded_again(library: Library, photos: Path) -> None:
    run(library, photos)
    before = vectors(library)
    edited = photos / "chelsea.png"
    with Image.open(edited) as image:
        changed = image.convert("RGB").transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    changed.crop((0, 0, 200, 100)).save(edited)
    events = run(library, photos)
    assert summary(events) == (1, 5, 0, 0)
    assert indexed(events) == {str(edited)}
    after = vectors(library)
    assert {path for path in after if not np.array_equal(before[path], after[path])} == {
        str(edited)
    }
    (hit,) = [hit for hit in library.search("a cat") if hit.path == str(edited)]
    assert (hit.width, hit.height) == (200, 100)


def encode_nothing(monkeypatch: pytest.MonkeyPatch, library: Library) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a picture is encoded")

    monkeypatch.setattr(library.models.encoder, "encode_pixels", refuse)


@pytest.mark.slow
def test_an_edit_that_keeps_the_size_is_seen_by_its_time(library: Library, photos: Path) -> None:
    photo = photos / "flat.bmp"
    Image.new("RGB", (40, 40), "red").save(photo)
    run(library, photos)
    before = vectors(library)[str(photo)]
    size = photo.stat().st_size
    Image.new("RGB", (40, 40), "blue").save(photo)
    os.utime(photo, ns=(0, 1_500_000_000_000_000_000))
    assert photo.stat().st_size == size
    assert indexed(run(library, photos)) == {str(photo)}
    assert not np.array_equal(vectors(library)[str(photo)], before)


@pytest.mark.slow
def test_a_touched_photo_is_not_encoded_again(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    before = ids(library)
    encode_nothing(monkeypatch, library)
    os.utime(photos / "chelsea.png", ns=(0, 1_500_000_000_000_000_000))
    events = run(library, photos)
    assert recognised(events) == {str(photos / "chelsea.png")}
    assert summary(events) == (0, 5, 0, 0)
    assert ids(library) == before
    assert summary(run(library, photos)) == (0, 6, 0, 0)


@pytest.mark.slow
def test_moved_and_renamed_photos_keep_id_and_vector(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    before, rows = ids(library), vectors(library)
    encode_nothing(monkeypatch, library)
    (photos / "chelsea.png").rename(photos / "below" / "cat.png")
    (photos / "below").rename(photos / "2024")
    events = run(library, photos)
    assert summary(events) == (0, 3, 0, 0)
    moved = {"2024/cat.png": "chelsea.png"} | {
        f"2024/{name}": f"below/{name}" for name in ("coffee.png", "coins.png")
    }
    assert recognised(events) == {str(photos / name) for name in moved}
    after = ids(library)
    for new, old in moved.items():
        assert after[str(photos / new)] == before[str(photos / old)]
        assert np.array_equal(vectors(library)[str(photos / new)], rows[str(photos / old)])
    assert found(library) == all_below(photos)
    assert library.status().missing == 0


@pytest.mark.slow
def test_copies_are_encoded_once_also_in_one_run(library: Library, photos: Path) -> None:
    for number in range(3):
        shutil.copy(photos / "chelsea.png", photos / f"copy{number}.png")
    events = run(library, photos)
    assert summary(events) == (6, 0, 0, 0)
    assert len(recognised(events)) == 3
    assert found(library) == all_below(photos)
    assert len(set(ids(library).values())) == 9


def test_a_known_folder_that_is_away_is_hidden_and_comes_back(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    before = ids(library)
    encode_nothing(monkeypatch, library)
    away = photos.with_name("unplugged")
    photos.rename(away)
    events = list(library.index())
    assert Absent(str(photos), 6) in events
    assert found(library) == set()
    away.rename(photos)
    assert summary(list(library.index())) == (0, 6, 0, 0)
    assert ids(library) == before


@pytest.mark.slow
def test_retrying_problems(library: Library, photos: Path) -> None:
    (photos / "notes.jpg").write_bytes(b"Dear diary")
    run(library, photos)
    again = list(library.index())
    assert failed(again) == {}
    assert again[0] == Started(7, 6, 1)
    retried = list(library.index(retry=True))
    assert failed(retried).keys() == {str(photos / "notes.jpg")}


@pytest.mark.slow
def test_forgetting_a_folder_touches_no_photo(library: Library, photos: Path) -> None:
    run(library, photos)
    before = all_below(photos)
    assert library.forget(photos) == 6
    assert library.status().folders == []
    assert found(library) == set()
    assert all_below(photos) == before
    assert summary(run(library, photos)) == (6, 0, 0, 0)


def test_a_deleted_photo_is_hidden_and_comes_back_as_it_was(
    library: Library, photos: Path, tmp_path: Path
) -> None:
    run(library, photos)
    ids = {hit.path: hit.photo_id for hit in library.search("a cat")}
    before = vectors(library)
    gone, away = photos / "chelsea.png", tmp_path / "chelsea.png"
    gone.rename(away)
    assert summary(run(library, photos)) == (0, 5, 0, 1)
    assert found(library) == all_below(photos)
    assert (library.status().photos, library.status().missing) == (5, 1)
    assert summary(run(library, photos)) == (0, 5, 0, 0)  # it is told once
    away.rename(gone)
    events = run(library, photos)
    assert summary(events) == (0, 6, 0, 0)
    assert found(library) == all_below(photos)
    assert {hit.path: hit.photo_id for hit in library.search("a cat")} == ids
    assert np.array_equal(vectors(library)[str(gone)], before[str(gone)])


def test_a_deleted_folder_hides_its_photos_only(library: Library, photos: Path) -> None:
    run(library, photos)
    shutil.rmtree(photos / "below")
    assert summary(run(library, photos)) == (0, 4, 0, 2)
    assert found(library) == all_below(photos)


@pytest.mark.slow
def test_other_folders_are_left_alone(library: Library, photos: Path, tmp_path: Path) -> None:
    """Indexing one folder says nothing of another, though it is away just now."""
    other = tmp_path / "photos2"
    shutil.copytree(photos / "below", other)
    run(library, photos, other)
    other.rename(tmp_path / "unplugged")
    assert summary(run(library, photos)) == (0, 6, 0, 0)
    assert len(found(library)) == 8


def test_an_unknown_folder_that_is_not_there_is_refused(library: Library, photos: Path) -> None:
    run(library, photos)
    with pytest.raises(UsageError, match="nowhere: there is no such folder"):
        library.index([photos, photos / "nowhere"])
    assert library.status().photos == 6


@pytest.mark.slow
def test_names_that_are_not_text(library: Library, photos: Path) -> None:
    names = [b"caf\xe9.png", b"line\nbreak.png", b"100%.png"]
    paths = [os.path.join(os.fsencode(photos), name) for name in names]
    for path in paths:
        shutil.copy(photos / "chelsea.png", path)
    assert summary(run(library, photos)) == (6, 0, 0, 0)
    assert {os.fsencode(path) for path in found(library)} >= set(paths)
    assert summary(run(library, photos)) == (0, 9, 0, 0)
    os.unlink(paths[0])
    assert summary(run(library, photos)) == (0, 8, 0, 1)


def test_photos_are_not_touched(library: Library, photos: Path) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        return {
            path: (Path(path).read_bytes(), os.stat(path).st_mtime_ns) for path in all_below(photos)
        }

    (photos / "bad.jpg").write_bytes(b"no picture")
    before = state()
    run(library, photos)
    run(library, photos)
    assert state() == before
