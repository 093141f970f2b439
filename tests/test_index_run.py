"""Index runs of a real library over real pictures: what is done, what is kept, what is told."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from index import Catalogue
from photosearch import Library, UsageError
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import LibraryError, PhotosearchError
from photosearch.indexing import pace, pipeline
from photosearch.indexing.events import (
    Absent,
    Event,
    Failed,
    Finished,
    Indexed,
    Recognised,
    Started,
)
from photosearch.indexing.scan import Found, Unreadable


@pytest.fixture
def photos(tmp_path: Path, pictures: Path) -> Path:
    """A folder of six real pictures, two of them in a folder below."""
    folder = tmp_path / "photos"
    shutil.copytree(pictures, folder)
    (folder / "below").mkdir()
    for name in ("coffee.png", "coins.png"):
        (folder / name).rename(folder / "below" / name)
    return folder


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library


def run(library: Library, *folders: Path) -> list[Event]:
    return list(library.index(folders, workers=1))


def summary(events: list[Event]) -> tuple[int, int, int, int]:
    """Indexed, unchanged, failed and missing, by the last event."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.indexed, last.unchanged, last.failed, last.missing


def indexed(events: list[Event]) -> set[str]:
    return {path for event in events if isinstance(event, Indexed) for path in event.paths}


def failed(events: list[Event]) -> dict[str, str]:
    return {event.path: event.reason for event in events if isinstance(event, Failed)}


def vectors(library: Library) -> dict[str, NDArray[np.float16]]:
    """The recorded vector of each photo that can be found."""
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        ids, rows = catalogue.embeddings(library.encoder.bundle_id)
        found = catalogue.photos([int(i) for i in ids])
        return {photo.path: row for photo, row in zip(found, rows, strict=True)}


def found(library: Library) -> set[str]:
    return {hit.path for hit in library.search("a cat", limit=100)}


def all_below(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


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
    assert status.model == library.encoder.bundle_id


def test_vectors_are_those_of_the_encoder(library: Library, photos: Path) -> None:
    run(library, photos)
    for path, vector in vectors(library).items():
        with Image.open(path) as image:
            expected = library.encoder.encode_images([image])[0]
        assert float(vector.astype(np.float32) @ expected) > 0.999, path


def test_hits_are_ordered_and_measured(library: Library, photos: Path) -> None:
    run(library, photos)
    hits = library.search("a cup of coffee", limit=4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    query = library.encoder.encode_texts(["a cup of coffee"])[0]
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

    monkeypatch.setattr(pipeline, "DecodeWorkers", refuse)
    events = run(library, photos)
    assert events[0] == Started(6, 6)
    assert summary(events) == (0, 6, 0, 0)
    assert summary(run(library, photos / "below")) == (0, 2, 0, 0)
    assert vectors(library).keys() == before.keys()


def test_a_new_photo_is_added(library: Library, photos: Path) -> None:
    run(library, photos)
    with Image.open(photos / "chelsea.png") as image:
        image.crop((0, 0, 200, 100)).save(photos / "new.png")
    events = run(library, photos)
    assert summary(events) == (1, 6, 0, 0)
    assert indexed(events) == {str(photos / "new.png")}


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


def recognised(events: list[Event]) -> set[str]:
    return {path for event in events if isinstance(event, Recognised) for path in event.paths}


def encode_nothing(monkeypatch: pytest.MonkeyPatch, library: Library) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a picture is encoded")

    monkeypatch.setattr(library.encoder, "encode_pixels", refuse)


def ids(library: Library) -> dict[str, int]:
    return {hit.path: hit.photo_id for hit in library.search("a cat", limit=100)}


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


def test_retrying_problems(library: Library, photos: Path) -> None:
    (photos / "notes.jpg").write_bytes(b"Dear diary")
    run(library, photos)
    again = list(library.index())
    assert failed(again) == {}
    assert again[0] == Started(7, 6, 1)
    retried = list(library.index(retry=True))
    assert failed(retried).keys() == {str(photos / "notes.jpg")}


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


def test_bad_files_are_listed_and_the_rest_is_indexed(library: Library, photos: Path) -> None:
    good = all_below(photos)
    whole = (photos / "rocket.jpg").read_bytes()
    bad = {
        "empty.jpg": b"",
        "notes.jpg": b"Dear diary, today I renamed a text file.",
        "below/cut.jpg": whole[: len(whole) // 2],
    }
    for name, content in bad.items():
        (photos / name).write_bytes(content)
    (photos / "dangling.jpg").symlink_to(photos / "nowhere.jpg")
    os.mkfifo(photos / "pipe.png")
    events = run(library, photos)
    assert events[0] == Started(11, 0)
    assert summary(events) == (6, 0, 5, 0)
    assert indexed(events) == good
    reasons = failed(events)
    assert reasons.keys() == {str(photos / name) for name in [*bad, "dangling.jpg", "pipe.png"]}
    assert reasons[str(photos / "empty.jpg")] == "is empty"
    assert "truncated" in reasons[str(photos / "below/cut.jpg")]
    assert dict(library.status().problems) == reasons
    # Damaged files are not read again while they stay as they are.
    again = run(library, photos)
    assert failed(again).keys() == {str(photos / "dangling.jpg"), str(photos / "pipe.png")}
    assert dict(library.status().problems) == reasons


def test_a_problem_that_is_mended_leaves_the_list(library: Library, photos: Path) -> None:
    (photos / "chelsea.png").rename(photos / "away.png.part")
    (photos / "chelsea.png").write_bytes(b"half a download")
    assert summary(run(library, photos)) == (5, 0, 1, 0)
    (photos / "away.png.part").replace(photos / "chelsea.png")
    events = run(library, photos)
    assert summary(events) == (1, 5, 0, 0)
    assert indexed(events) == {str(photos / "chelsea.png")}
    assert library.status().problems == []


def test_a_problem_whose_file_is_deleted_leaves_the_list(library: Library, photos: Path) -> None:
    (photos / "empty.jpg").touch()
    run(library, photos)
    assert len(library.status().problems) == 1
    (photos / "empty.jpg").unlink()
    assert summary(run(library, photos)) == (0, 6, 0, 0)
    assert library.status().problems == []


def test_a_photo_that_is_damaged_later_is_no_longer_found(library: Library, photos: Path) -> None:
    run(library, photos)
    (photos / "chelsea.png").write_bytes(b"overwritten")
    assert summary(run(library, photos)) == (0, 5, 1, 0)
    assert str(photos / "chelsea.png") not in found(library)


def refuse_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As a folder is to one who may not list it; root always may."""
    real = pipeline.scan

    def scan(root: str) -> Iterator[Found | Unreadable]:
        if root == str(folder):
            yield Unreadable(root, "Permission denied")
            return
        for item in real(root):
            if not item.path.startswith(f"{folder}{os.sep}"):
                yield item
        if str(folder).startswith(f"{root}{os.sep}"):
            yield Unreadable(str(folder), "Permission denied")

    monkeypatch.setattr(pipeline, "scan", scan)


@pytest.mark.parametrize("place", [".", "below"])
def test_photos_below_a_folder_that_cannot_be_read_stay(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    run(library, photos)
    locked = photos / place
    with monkeypatch.context() as patch:
        refuse_folder(patch, locked)
        events = run(library, photos)
        assert failed(events) == {str(locked): "Permission denied"}
        assert summary(events)[2:] == (1, 0)
        assert len(found(library)) == 6
        assert library.status().problems == [(str(locked), "Permission denied")]
    assert summary(run(library, photos)) == (0, 6, 0, 0)
    assert library.status().problems == []


def test_a_whole_disk_that_cannot_be_read_loses_nothing(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    refuse_folder(monkeypatch, Path("/"))
    assert summary(run(library, Path("/")))[2:] == (1, 0)
    assert len(found(library)) == 6


def test_reasons_outside_a_file_are_tried_again(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that vanished between scan and decoding has not changed when it is back."""
    target, away = photos / "chelsea.png", photos / "chelsea.away"
    target.rename(away)
    real = pipeline.scan
    stamp = pipeline.FileStamp(away.stat().st_size, away.stat().st_mtime_ns)

    def scan(root: str) -> Iterator[Found | Unreadable]:
        yield from real(root)
        yield Found(str(target), stamp)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "scan", scan)
        assert failed(run(library, photos)) == {
            str(target): "disappeared while it was being indexed"
        }
    away.rename(target)
    assert indexed(run(library, photos)) == {str(target)}
    assert library.status().problems == []


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


def worker_pids() -> list[int]:
    return [child.pid for child in multiprocessing.active_children() if child.pid is not None]


@pytest.fixture
def many(tmp_path: Path, photos: Path) -> Path:
    """A hundred and twenty pictures: more than the pipeline holds at once."""
    folder = tmp_path / "many"
    folder.mkdir()
    with Image.open(photos / "chelsea.png") as image:
        cat = image.convert("RGB")
    for number in range(120):
        cat.crop((number, 0, number + 64, 64)).save(folder / f"{number:03}.png")
    return folder


def test_a_killed_worker_costs_one_file(library: Library, many: Path) -> None:
    killed = []
    events = []
    for event in library.index([many], workers=1):
        events.append(event)
        if isinstance(event, Indexed) and not killed:
            killed = worker_pids()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
    assert len(killed) == 1
    assert len(failed(events)) <= 1  # none when it had just finished all it was given
    assert indexed(events) | failed(events).keys() == all_below(many)
    assert not indexed(events) & failed(events).keys()
    assert summary(events) == (120 - len(failed(events)), 0, len(failed(events)), 0)
    # What memory ran out for is tried again, though the file is the same.
    assert indexed(run(library, many)) == failed(events).keys()
    assert library.status().problems == []


def crash_on(name: str) -> str:
    """Code that makes any interpreter started with it die over the file `name`."""
    return f"""
import os, signal, sys
def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith({name!r}):
        os.kill(os.getpid(), CRASH)
CRASH = signal.SIGSEGV if "segv" in {name!r} else signal.SIGKILL
sys.addaudithook(watch)
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("segv.png", "crashed the decoder"), ("kill.png", "its decoder was killed; memory may")],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_kills_its_worker_is_listed(
    library: Library,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reason: str,
    workers: int,
) -> None:
    """A worker dies over one named file, by a signal; the others are indexed."""
    good = all_below(photos)
    shutil.copy(photos / "chelsea.png", photos / name)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(crash_on(name), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(hook))
    events = list(library.index([photos], workers=workers))
    assert indexed(events) == good
    assert list(failed(events)) == [str(photos / name)]
    assert failed(events)[str(photos / name)].startswith(reason)
    again = list(library.index([photos], workers=workers))
    # A file that crashes the decoder does so each time; memory may be there the next time.
    assert len(failed(again)) == (0 if "segv" in name else 1)
    assert dict(library.status().problems).keys() == {str(photos / name)}


def test_workers_that_cannot_start_are_no_fault_of_the_photos(
    library: Library, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hook))
        with pytest.raises(PhotosearchError, match=r"cannot start \(exit code 3\)"):
            run(library, photos)
    assert library.status().problems == []
    assert worker_pids() == []
    assert summary(run(library, photos)) == (6, 0, 0, 0)


@pytest.mark.parametrize("stop_at", [1, 2])
def test_stopping_early_keeps_what_was_reported(library: Library, many: Path, stop_at: int) -> None:
    events: list[Event] = []
    with closing(library.index([many], workers=1)) as running:
        for event in running:
            events.append(event)
            if sum(isinstance(event, Indexed) for event in events) == stop_at:
                break
    assert worker_pids() == []
    reported = indexed(events)
    assert 0 < len(reported) < 120
    kept = set(vectors(library))
    assert kept >= reported
    rest = run(library, many)
    assert summary(rest) == (120 - len(kept), len(kept), 0, 0)
    assert found(library) <= all_below(many)
    assert set(vectors(library)) == all_below(many)


def test_an_interrupt_records_and_reports_what_is_decoded(
    library: Library, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the run waits for the decoders, with photos waiting for their batch."""
    real = pipeline.DecodeWorkers.decode

    def decode(self: pipeline.DecodeWorkers, paths: list[str], **options: Any) -> Iterator[object]:
        for number, result in enumerate(real(self, paths, **options)):
            if number == 20:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(pipeline.DecodeWorkers, "decode", decode)
    monkeypatch.setattr(pace, "COMMIT_SECONDS", 1e9)
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        events.extend(library.index([many], workers=1))
    assert len(indexed(events)) == len(vectors(library))
    assert len(indexed(events)) >= 16
    assert indexed(events) == set(vectors(library))
    assert worker_pids() == []


def test_a_slow_network_gets_small_batches(
    library: Library, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is encoded and not recorded yet is lost by a kill, so it must not be long."""
    for path in sorted(many.iterdir())[12:]:
        path.unlink()
    real = OnnxEncoder.encode_pixels

    def encode(self: OnnxEncoder, pixels: Any) -> Any:
        time.sleep(0.05 * len(pixels))
        return real(self, pixels)

    monkeypatch.setattr(pace, "COMMIT_SECONDS", 0.12)
    monkeypatch.setattr(OnnxEncoder, "encode_pixels", encode)
    sizes = [len(event.paths) for event in run(library, many) if isinstance(event, Indexed)]
    assert sum(sizes) == 12
    assert max(sizes) <= 2


def test_files_of_one_size_are_recorded_long_before_all_are_hashed(
    library: Library, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As raw files of one camera are; a kill must not cost the hashing of all of them."""
    for path in many.iterdir():
        with Image.open(path) as image:
            image.save(path.with_suffix(".bmp"))
        path.unlink()
    hashed = 0
    real = pipeline.DecodeWorkers.decode

    def decode(self: pipeline.DecodeWorkers, paths: list[str], **options: Any) -> Iterator[object]:
        nonlocal hashed
        for result in real(self, paths, **options):
            hashed += options.get("task") == "digest" and result is not None
            yield result

    monkeypatch.setattr(pipeline.DecodeWorkers, "decode", decode)
    monkeypatch.setattr(pace, "COMMIT_SECONDS", 0.0)
    recorded = 0
    for event in library.index([many], workers=1):
        if isinstance(event, Indexed):
            recorded += len(event.paths)
            assert hashed <= recorded
    assert recorded == 120
    assert hashed == 119


def test_searching_while_a_run_goes_on(library: Library, many: Path, tiny_bundle: Path) -> None:
    """A second library sees each photo from the moment it is reported."""
    reported: set[str] = set()
    with Library.open(library.folder, model=tiny_bundle) as reader:
        for event in library.index([many], workers=1):
            if isinstance(event, Indexed):
                reported |= set(event.paths)
                seen = {hit.path for hit in reader.search("a cat", limit=1000)}
                assert seen == reported
    assert reported == all_below(many)


def test_two_runs_over_one_library_at_once(
    library: Library, many: Path, photos: Path, tiny_bundle: Path
) -> None:
    """The second is refused while the first goes on, and may run when that is done."""
    with Library.open(library.folder, model=tiny_bundle) as second:
        refused = 0
        for _ in library.index([many], workers=1):
            with pytest.raises(LibraryError, match="is being changed by"):
                run(second, photos)
            refused += 1
        assert refused > 2
        assert summary(run(second, photos)) == (6, 0, 0, 0)
    assert library.status().photos == 126


def test_a_program_needs_no_main_guard(tmp_path: Path, photos: Path, tiny_bundle: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "print('begun')\n"
        "from photosearch import Library\n"
        "with Library.open(sys.argv[1], model=sys.argv[2]) as library:\n"
        "    list(library.index([sys.argv[3]], workers=1))\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, program, tmp_path / "library", tiny_bundle, photos],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        timeout=300,
    )
    assert (result.returncode, result.stderr) == (0, "")
    # The worker did not run the program again.
    assert result.stdout == "begun\n"
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        assert library.status().photos == 6
