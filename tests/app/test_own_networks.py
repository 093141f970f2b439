"""Decoding processes that encode, too: what they give, and what a file that ends one costs."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from index_runs import all_below, failed, indexed, summary, vectors, worker_pids
from numpy.typing import NDArray
from optional import needs_pipes
from PIL import Image

from photosearch import Indexed, Library
from photosearch.encoders import Bundle, onnx, open_encoder
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import BundleError
from photosearch.indexing import decoding
from photosearch.indexing.decode import Decoded
from photosearch.indexing.limits import Limits
from photosearch.indexing.pace import Pace
from photosearch.indexing.workers import DecodeWorkers, Trouble
from photosearch.settings import read_environment

pytestmark = pytest.mark.slow

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Any interpreter started with it dies over a file of this name, and waits for ever over another.
HOOK = """
import os, signal, sys, time
def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith("segv.png"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if event == "open" and str(arguments[0]).endswith("hangs.png"):
        time.sleep(3600)
sys.addaudithook(watch)
"""


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few files there are."""
    monkeypatch.setattr(decoding, "_WORTH", 1)


def some_photos(folder: Path, count: int) -> list[Path]:
    """Pictures that differ in their colours, and in their sizes, so that none is hashed first."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    paths = [folder / f"{number:02}.png" for number in range(count)]
    for number, path in enumerate(paths):
        shape = (30 + number, 40, 3)
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(path)
    return paths


def outcomes_of(
    paths: list[Path], bundle: Path, limits: Limits | None = None, workers: int = 1
) -> dict[str, NDArray[np.float32] | str]:
    """By its name the vectors of each picture, or the reason why there are none."""
    outcomes: dict[str, NDArray[np.float32] | str] = {}
    preprocess = open_encoder(bundle).preprocess
    with DecodeWorkers(preprocess, workers, limits or Limits(1 << 30), lambda: bundle) as pool:
        for result in pool.decode([str(path) for path in paths]):
            if result is None:
                continue
            name = Path(result.path).name
            assert name not in outcomes
            if isinstance(result.outcome, Trouble):
                outcomes[name] = result.outcome.reason
                continue
            assert isinstance(result.outcome, Decoded)
            assert not result.outcome.pixels.size  # they stay where they are
            assert result.outcome.vectors is not None
            outcomes[name] = result.outcome.vectors
    assert not multiprocessing.active_children()
    return outcomes


def test_they_give_what_one_process_for_all_would(tmp_path: Path, tiny_bundle: Path) -> None:
    paths = some_photos(tmp_path / "photos", 11)
    (tmp_path / "photos" / "empty.png").touch()
    found = outcomes_of([*paths[:5], tmp_path / "photos" / "empty.png", *paths[5:]], tiny_bundle)
    assert found.pop("empty.png") == "is empty"
    encoder = open_encoder(tiny_bundle)
    for path in paths:
        with Image.open(path) as image:
            expected = encoder.encode_images([image])
        np.testing.assert_allclose(found.pop(path.name), expected, atol=1e-6)
    assert not found


@pytest.mark.usefixtures("hooked")
@pytest.mark.parametrize("before", [1, 4])
def test_a_crash_costs_none_of_those_that_wait_to_be_encoded(
    tmp_path: Path, tiny_bundle: Path, before: int
) -> None:
    """The first is encoded alone, and those after it wait for more."""
    paths = some_photos(tmp_path / "photos", 7)
    crash = tmp_path / "photos" / "segv.png"
    crash.touch()
    found = outcomes_of([*paths[:before], crash, *paths[before:]], tiny_bundle)
    assert found.pop("segv.png") == "crashed the decoder"
    assert found.keys() == {path.name for path in paths}
    assert not any(isinstance(outcome, str) for outcome in found.values())


@needs_pipes
@pytest.mark.usefixtures("hooked")
def test_a_hang_costs_none_of_those_that_wait_to_be_encoded(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    paths = some_photos(tmp_path / "photos", 7)
    hangs = tmp_path / "photos" / "hangs.png"
    hangs.touch()
    limits = Limits(1 << 30, seconds=1.0)
    found = outcomes_of([*paths[:3], hangs, *paths[3:]], tiny_bundle, limits)
    assert found.pop("hangs.png") == "took longer than 1 s to decode"
    assert found.keys() == {path.name for path in paths}
    assert not any(isinstance(outcome, str) for outcome in found.values())


def test_no_file_is_blamed_for_a_damaged_network(tmp_path: Path, tiny_bundle: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    file = bundle / "image.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError, match=r"image\.onnx: is damaged"):
        outcomes_of(some_photos(tmp_path / "photos", 3), bundle)
    shutil.rmtree(bundle)
    pool = DecodeWorkers(open_encoder(tiny_bundle).preprocess, 1, network=lambda: bundle)
    with pool, pytest.raises(BundleError, match=r"bundle\.json"):
        list(pool.decode([str(tmp_path / "photos" / "00.png")]))
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("own")
def test_a_run_records_what_its_decoders_encode(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_photos(tmp_path / "photos", 2 * CORES + 7)
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "_WORTH", 1000)
        list(library.index([tmp_path / "photos"], workers=CORES))
    before = vectors(library)
    library.forget(tmp_path / "photos")

    def refuse(*_: object) -> None:
        raise AssertionError("a picture is encoded in the process that records it")

    monkeypatch.setattr(library.models.encoder, "encode_pixels", refuse)
    events = list(library.index([tmp_path / "photos"], workers=CORES))
    assert summary(events) == (len(before), 0, 0, 0)
    after = vectors(library)
    assert after.keys() == before.keys() == all_below(tmp_path / "photos")
    for path, vector in before.items():
        np.testing.assert_allclose(after[path], vector, atol=1e-3)


@pytest.mark.usefixtures("own")
def test_a_decoder_that_is_killed_costs_one_file(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    count = len(some_photos(folder, 60 * CORES))
    killed: list[int] = []
    events = []
    for event in library.index([folder], workers=CORES):
        events.append(event)
        if isinstance(event, Indexed) and not killed:
            killed = worker_pids()[:1]
            os.kill(killed[0], signal.SIGKILL)
    assert len(killed) == 1
    assert len(failed(events)) <= 1  # none when it had just finished all it was given
    assert indexed(events) | failed(events).keys() == all_below(folder)
    assert not indexed(events) & failed(events).keys()
    assert summary(events) == (count - len(failed(events)), 0, len(failed(events)), 0)


def test_it_is_for_as_many_processes_as_cores_may_be_used(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = OnnxEncoder(Bundle.open(tiny_bundle), threads=2, provider="cpu")
    assert encoder.apart(2) == tiny_bundle
    assert encoder.apart(1) is None
    assert encoder.apart(3) is None
    # Copies of a large network would fill the memory.
    enough = 4 * 2 * encoder.memory
    monkeypatch.setattr(onnx, "total_memory", lambda: enough)
    assert encoder.apart(2) == tiny_bundle
    monkeypatch.setattr(onnx, "total_memory", lambda: enough - 4)
    assert encoder.apart(2) is None


def test_a_few_files_are_encoded_in_one_process(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To load a network in each takes longer than that."""
    encoder = OnnxEncoder(Bundle.open(tiny_bundle), threads=2, provider="cpu")
    usual = decoding.Decoding.of(read_environment(), 2)
    asked: list[int] = []
    real = OnnxEncoder.apart

    def apart(self: OnnxEncoder, processes: int) -> Path | None:
        asked.append(processes)
        return real(self, processes)

    monkeypatch.setattr(OnnxEncoder, "apart", apart)
    for files, expected in ((63, []), (64, [2])):
        with usual.pool(encoder.preprocess, files, encoder):
            assert asked == expected


def test_a_slow_network_is_given_fewer_at_a_time() -> None:
    pace = Pace(4, seconds=1000.0)
    assert [pace.is_due(count) for count in (0, 1)] == [False, True]
    with pace.recording(1):
        pass
    assert [pace.is_due(count) for count in (1, 3, 4)] == [False, False, True]
    slow = Pace(4, seconds=1e-9)
    with slow.recording(1):
        pass
    assert [slow.is_due(count) for count in (0, 1)] == [False, True]
