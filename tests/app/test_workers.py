"""The decoding processes: a file that hangs, crashes or eats memory costs that one file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from optional import leave_out, needs_pipes
from PIL import Image

from photosearch.capacity import total_memory
from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import Decoded
from photosearch.indexing.limits import Limits, limits_of_machine
from photosearch.indexing.workers import DecodeWorkers, Trouble

pytestmark = pytest.mark.slow

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(32, "squash", "none", "bicubic", HALF, HALF))
ROOM = Limits(memory=1 << 30)


# Any interpreter started with it waits before it opens a file with a pipe beside it, until somebody
# has written to that: so does a drive that hangs.
HOOK = """
import os, sys
def watch(event, arguments):
    if event == "open" and os.path.exists(f"{arguments[0]}.pipe"):
        open(f"{arguments[0]}.pipe", "rb").read()
sys.addaudithook(watch)
"""


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))


def hanging(path: Path) -> Path:
    """A file that is waited for, and the pipe that ends it."""
    path.touch()
    pipe = Path(f"{path}.pipe")
    os.mkfifo(pipe)
    return pipe


def decode_all(
    paths: list[Path], limits: Limits = ROOM, workers: int = 1
) -> dict[str, Decoded | str]:
    """What became of each file: the picture, or the reason."""
    outcomes: dict[str, Decoded | str] = {}
    with DecodeWorkers(PREPROCESS, workers, limits) as pool:
        for result in pool.decode([str(path) for path in paths]):
            if result is None:
                continue
            name = Path(result.path).name
            assert name not in outcomes
            outcome = result.outcome
            assert not isinstance(outcome, bytes)
            outcomes[name] = outcome.reason if isinstance(outcome, Trouble) else outcome
    assert not multiprocessing.active_children()
    return outcomes


def some_photos(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(path)
    return paths


@needs_pipes
@pytest.mark.usefixtures("hooked")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_never_answers_is_cut_off(tmp_path: Path, workers: int) -> None:
    photos = some_photos(tmp_path, 6)
    hanging(tmp_path / "hangs.png")
    paths = [*photos[:2], tmp_path / "hangs.png", *photos[2:]]
    outcomes = decode_all(paths, Limits(1 << 30, seconds=1.0), workers)
    assert outcomes.pop("hangs.png") == "took longer than 1 s to decode"
    assert outcomes.keys() == {path.name for path in photos}
    assert all(isinstance(outcome, Decoded) for outcome in outcomes.values())


@needs_pipes
@pytest.mark.usefixtures("hooked")
def test_the_last_files_go_to_the_worker_that_is_free(tmp_path: Path) -> None:
    """The first file takes until somebody writes to it, which is after the others are done."""
    photos = [str(path) for path in some_photos(tmp_path, 3)]
    slow = str(tmp_path / "slow.png")
    pipe = hanging(Path(slow))
    with DecodeWorkers(PREPROCESS, 2, ROOM) as pool:
        results = pool.decode([slow, *photos])
        done = {next(filter(None, results)).path for _ in photos}
        assert done == set(photos)
        pipe.open("wb").close()
        assert next(filter(None, results)).path == slow


@needs_pipes
def test_a_pipe_in_the_place_of_a_photo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert decode_all([tmp_path / "pipe.png"]) == {"pipe.png": "is not a regular file"}


@needs_pipes
@pytest.mark.usefixtures("hooked")
def test_videos_have_a_time_limit_of_their_own(tmp_path: Path) -> None:
    hanging(tmp_path / "hangs.mp4")
    outcomes = decode_all([tmp_path / "hangs.mp4"], Limits(1 << 30, video_seconds=0.5))
    assert outcomes == {"hangs.mp4": "took longer than 0.5 s to decode"}


@needs_pipes
@pytest.mark.usefixtures("hooked")
def test_a_worker_that_crashes_costs_the_file_it_was_at(tmp_path: Path) -> None:
    """It waits at a pipe, so that it is known which file it is at when it is killed."""
    photos = some_photos(tmp_path, 3)
    pipe = hanging(tmp_path / "a.png")

    def crash() -> None:
        # The pipe can be opened for writing once the worker is reading.
        with pipe.open("wb"):
            for child in multiprocessing.active_children():
                assert child.pid is not None
                os.kill(child.pid, signal.SIGSEGV)
            time.sleep(0.5)

    crasher = threading.Thread(target=crash)
    crasher.start()
    outcomes = decode_all([tmp_path / "a.png", *photos])
    crasher.join()
    assert outcomes.pop("a.png") == "crashed the decoder"
    assert outcomes.keys() == {path.name for path in photos}
    assert all(isinstance(outcome, Decoded) for outcome in outcomes.values())


def test_a_file_that_eats_memory_is_listed(tmp_path: Path) -> None:
    """A file of 18 KB and 144 megapixels, which take 720 MB to decode, where there are 320."""
    if not os.path.exists("/proc/self/statm"):
        leave_out("a system that limits a process's memory: Linux")
    photos = some_photos(tmp_path, 3)
    Image.new("1", (12_000, 12_000)).save(tmp_path / "eats.png")
    # Time has no say in it, however busy the machine; and the others have far more than they need.
    limits = Limits(320 << 20, seconds=300.0)
    outcomes = decode_all([tmp_path / "eats.png", *photos], limits)
    assert outcomes.pop("eats.png") == "needs more memory than there is for one file"
    assert outcomes.keys() == {path.name for path in photos}
    assert all(isinstance(outcome, Decoded) for outcome in outcomes.values())


def test_the_pixel_cap_reaches_the_workers(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 2000)).save(tmp_path / "a.png")
    outcomes = decode_all([tmp_path / "a.png"], Limits(1 << 30, max_pixels=3_000_000))
    assert outcomes == {"a.png": "has 4 megapixels; the limit is 3"}


def test_limits_follow_memory_and_workers() -> None:
    one, four = limits_of_machine(1, 32 << 30), limits_of_machine(4, 32 << 30)
    assert one.memory == 4 * four.memory == 16 << 30
    assert one.max_pixels > 4 * four.max_pixels - 4
    assert four.max_pixels >= 200_000_000
    # A photo of a phone fits on any machine.
    assert limits_of_machine(16, 2 << 30).max_pixels > 24_000_000
    assert total_memory() > 1 << 28
