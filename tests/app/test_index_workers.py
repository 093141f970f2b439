"""Index runs whose workers die, that are stopped or interrupted, or that are not alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
from index_runs import all_below, failed, found, indexed, nested, run, summary, vectors, worker_pids
from PIL import Image

from photosearch import Event, Indexed, Library
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import LibraryError, PhotosearchError
from photosearch.indexing import pace, workers


@pytest.fixture
def photos(tmp_path: Path, pictures: Path) -> Path:
    return nested(pictures, tmp_path / "photos")


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


@pytest.mark.slow
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
@pytest.mark.slow
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
    # That of this process is not to end so, too.
    resource_tracker.ensure_running()
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hook))
        with pytest.raises(PhotosearchError, match=r"cannot start \(exit code 3\)"):
            run(library, photos)
    assert library.status().problems == []
    assert worker_pids() == []
    assert summary(run(library, photos)) == (6, 0, 0, 0)


@pytest.mark.parametrize("stop_at", [1, 2])
@pytest.mark.slow
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
    real = workers.DecodeWorkers.decode

    def decode(self: workers.DecodeWorkers, paths: list[str], **options: Any) -> Iterator[object]:
        for number, result in enumerate(real(self, paths, **options)):
            if number == 20:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(workers.DecodeWorkers, "decode", decode)
    monkeypatch.setattr(pace, "COMMIT_SECONDS", 1e9)
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        events.extend(library.index([many], workers=1))
    assert len(indexed(events)) == len(vectors(library))
    assert len(indexed(events)) >= 16
    assert indexed(events) == set(vectors(library))
    assert worker_pids() == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_files_of_one_size_are_recorded_long_before_all_are_hashed(
    library: Library, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As raw files of one camera are; a kill must not cost the hashing of all of them."""
    for path in many.iterdir():
        with Image.open(path) as image:
            image.save(path.with_suffix(".bmp"))
        path.unlink()
    hashed = 0
    real = workers.DecodeWorkers.decode

    def decode(self: workers.DecodeWorkers, paths: list[str], **options: Any) -> Iterator[object]:
        nonlocal hashed
        for result in real(self, paths, **options):
            hashed += options.get("task") == "digest" and result is not None
            yield result

    monkeypatch.setattr(workers.DecodeWorkers, "decode", decode)
    monkeypatch.setattr(pace, "COMMIT_SECONDS", 0.0)
    recorded = 0
    for event in library.index([many], workers=1):
        if isinstance(event, Indexed):
            recorded += len(event.paths)
            assert hashed <= recorded
    assert recorded == 120
    assert hashed == 119


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=300,
    )
    assert (result.returncode, result.stderr) == (0, "")
    # The worker did not run the program again.
    assert result.stdout == "begun\n"
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        assert library.status().photos == 6
