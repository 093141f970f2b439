"""Text embeddings on disk: filled in chunks, and never the wrong ones after a cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.teachers.text_cache import cached_embeddings

# Two whole chunks of 8192 and a part.
TEXTS = [f"text number {number}" for number in range(20_000)]
OTHERS = [f"another {number}" for number in range(20_000)]


class Letters:
    """A cheap encoder: how often each of 16 kinds of letter occurs.

    It remembers what it was asked, and stops in the chunk that begins with the text `until`.
    """

    def __init__(self, name: str = "letters", until: str | None = None) -> None:
        self.name, self.until = name, until
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if texts[0] == self.until:
            self.stop()
        self.asked += texts
        letters: np.ndarray = np.zeros((len(texts), 16), np.float32)
        for row, text in zip(letters, texts, strict=True):
            row += np.bincount(np.frombuffer(text.encode(), np.uint8) % 16, minlength=16)
        return np.asarray(letters / np.linalg.norm(letters, axis=1, keepdims=True))

    def digest(self) -> str:
        return self.name

    def stop(self) -> None:
        raise KeyboardInterrupt


class Hangs(Letters):
    def stop(self) -> None:
        time.sleep(600)


def fill(texts: Sequence[str], path: Path, encoder: Any = None) -> np.ndarray:
    return cached_embeddings(texts, path, encoder)


def expected(texts: Sequence[str]) -> np.ndarray:
    return Letters()(texts).astype(np.float16)


def test_embeds_once_and_then_reads(tmp_path: Path) -> None:
    path = tmp_path / "made on demand" / "texts.npy"
    encoder = Letters()
    table = fill(TEXTS, path, encoder)
    assert table.dtype == np.float16
    assert np.array_equal(table, expected(TEXTS))
    assert encoder.asked[1:] == TEXTS  # the first text asks for the width
    for again in (None, encoder):
        assert np.array_equal(fill(TEXTS, path, again), table)
    assert len(encoder.asked) == len(TEXTS) + 1


def test_needs_an_encoder_for_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "texts.npy"
    with pytest.raises(ValueError, match=r"texts\.npy: holds 0 of 20000 embeddings, and no enc"):
        fill(TEXTS, path)
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt):
        fill(TEXTS, path, Letters(until=TEXTS[8192]))
    with pytest.raises(ValueError, match="holds 8192 of 20000"):
        fill(TEXTS, path)
    fill(TEXTS, path, Letters())
    with pytest.raises(ValueError, match="holds 0 of 20000"):
        fill(OTHERS, path)


@pytest.mark.slow
def test_goes_on_after_a_kill(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "import test_text_cache as t\n"
        "t.fill(t.TEXTS, pathlib.Path(sys.argv[1]), t.Hangs(until=t.TEXTS[16384]))\n"
    )
    path = tmp_path / "texts.npy"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        progress, deadline = path.with_suffix(".progress"), time.monotonic() + 120
        while not (progress.is_file() and " 16384 " in progress.read_text()):
            assert process.poll() is None, "the process ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    encoder = Letters()
    assert np.array_equal(fill(TEXTS, path, encoder), expected(TEXTS))
    assert encoder.asked == TEXTS[16384:]


def test_other_texts_start_again(tmp_path: Path) -> None:
    path = tmp_path / "texts.npy"
    fill(TEXTS, path, Letters())
    for texts in (OTHERS, OTHERS[:100], [*OTHERS[:99], "changed"]):
        encoder = Letters()
        assert np.array_equal(fill(texts, path, encoder), expected(texts))
        assert encoder.asked[1:] == texts


def test_another_encoder_starts_again(tmp_path: Path) -> None:
    path = tmp_path / "texts.npy"
    with pytest.raises(KeyboardInterrupt):
        fill(TEXTS, path, Letters("one", until=TEXTS[8192]))
    another = Letters("another")
    fill(TEXTS, path, another)
    assert another.asked[1:] == TEXTS
    again = Letters("another")
    fill(TEXTS, path, again)
    assert again.asked == []


@pytest.mark.parametrize("before", ["other texts", "table deleted"])
def test_old_progress_does_not_vouch_for_a_new_table(tmp_path: Path, before: str) -> None:
    """A table that was begun anew and cut off at once must not pass for the finished old one."""
    path = tmp_path / "texts.npy"
    fill(TEXTS, path, Letters())
    if before == "table deleted":
        path.unlink()
    texts = OTHERS if before == "other texts" else TEXTS
    with pytest.raises(KeyboardInterrupt):
        fill(texts, path, Letters(until=texts[0]))
    assert path.is_file()
    assert np.array_equal(fill(TEXTS, path, Letters()), expected(TEXTS))


def test_progress_of_older_versions_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "texts.npy"
    with pytest.raises(KeyboardInterrupt):
        fill(TEXTS, path, Letters(until=TEXTS[8192]))
    progress = path.with_suffix(".progress")
    progress.write_text(progress.read_text().rpartition(" ")[0])
    encoder = Letters()
    assert np.array_equal(fill(TEXTS, path, encoder), expected(TEXTS))
    assert encoder.asked == TEXTS[8192:]


def test_a_list_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "texts.npy"
    assert fill([], path, Letters()).shape == (0, 16)
    assert fill([], path).shape == (0, 16)
