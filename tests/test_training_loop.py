"""The training loop, killed and resumed as a real process."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.models.mct import TextRepMixer
from trainer.train.loop import LoopSettings, Run
from trainer.train.text import TextDistillation

TEXTS = [f"{size} {colour} {thing}" for size in ("big", "small") for colour in ("red", "blue")
         for thing in ("cat", "dog", "bus", "cup", "hat", "tree", "fish", "boat")]  # fmt: skip
DIM = 12


def tokenise(texts: list[str]) -> np.ndarray:
    rows = np.zeros((len(texts), 24), np.int64)
    for row, text in zip(rows, texts, strict=True):
        letters = [ord(letter) % 50 + 1 for letter in text[:22]]
        row[: len(letters) + 1] = [*letters, 63]
    return rows


def make_run(folder: Path, *, steps: int = 24, **changes: float) -> Run:
    torch.manual_seed(0)
    tower = TextRepMixer(
        context_length=24, vocab_size=64, width=16, heads=2, layers=1, output_dim=DIM
    )
    targets = np.random.default_rng(0).standard_normal((len(TEXTS), DIM))
    targets = (targets / np.linalg.norm(targets, axis=1, keepdims=True)).astype(np.float16)
    task = TextDistillation(
        tower, tokenise, TEXTS, targets, {"seen": (TEXTS, targets)}, batch_size=8
    )
    settings = LoopSettings(
        steps=steps, warmup=4, checkpoint_seconds=0, evaluate_steps=8,
        **({"learning_rate": 3e-3} | changes),
    )  # fmt: skip
    return Run(task, settings, folder)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "model.pt", weights_only=True)


def test_killed_run_ends_bit_identical(tmp_path: Path) -> None:
    make_run(tmp_path / "whole").train()

    # Steps slowed down, so that the kill falls in the middle of the run.
    script = (
        "import sys, time; from pathlib import Path; import torch; torch.set_num_threads(1)\n"
        "import tests.test_training_loop as t\n"
        "run = t.make_run(Path(sys.argv[1]))\n"
        "update = run._update\n"
        "run._update = lambda batch: (time.sleep(0.2), update(batch))[1]\n"
        "run.train()\n"
    )
    folder = tmp_path / "killed"
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        env=os.environ | {"PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (folder / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "model.pt").exists(), "the run was over before it was killed"

    resumed = make_run(folder)
    assert resumed.resume()
    assert 0 < resumed.step < 24
    resumed.train()
    whole, again = weights(tmp_path / "whole"), weights(folder)
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_stopping_between_evaluations_changes_nothing(tmp_path: Path) -> None:
    make_run(tmp_path / "whole").train()
    make_run(tmp_path / "parts").train(until=5)
    for stop in (13, None):
        part = make_run(tmp_path / "parts")
        assert part.resume()
        part.train(until=stop)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_training_learns_and_logs(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=120)
    figures = run.train()
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["cosine_seen"]) < 0.3
    assert figures["cosine_seen"] > 0.8
    assert float(rows[-1]["loss"]) < float(rows[1]["loss"])
    assert [int(row["items"]) for row in rows] == [8 * int(row["step"]) for row in rows]


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    make_run(tmp_path).train(until=2)
    with pytest.raises(ValueError, match="other settings"):
        make_run(tmp_path, learning_rate=1e-2).resume()
    assert not make_run(tmp_path / "empty").resume()


def test_rate_warms_up_and_falls(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    rates = [run.rate(step) for step in range(25)]
    assert rates[:4] == pytest.approx([3e-3 * (step + 1) / 4 for step in range(4)])
    assert all(after < before for before, after in pairwise(rates[4:]))
    assert rates[4] == pytest.approx(3e-3)
    assert rates[24] == pytest.approx(3e-5)


def test_norms_and_biases_do_not_decay(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    for group in run.optimizer.param_groups:
        for parameter in group["params"]:
            assert (group["weight_decay"] > 0) == (parameter.ndim > 1)
