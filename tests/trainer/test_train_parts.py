"""What workers are handed to prepare batches: the same batches, without networks or copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from forked import clean_forks
from torch import nn

from trainer.train.parts import Parts
from trainer.train.task import Batch
from trainer.train.text import TextDistillation

pytestmark = pytest.mark.slow

TEXTS, DIM = [f"text {number}" for number in range(2000)], 64


def tokenise(texts: list[str]) -> np.ndarray:
    return np.array([[len(text), ord(text[-1])] for text in texts], np.int64)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Of a task with a network and targets on disk, of 256 kB each."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "targets.npy", random.standard_normal((len(TEXTS), DIM), np.float32))
    targets = np.load(tmp_path / "targets.npy", mmap_mode="r")
    network = nn.Linear(256, 256)
    task = TextDistillation(network, tokenise, TEXTS, targets, {}, batch_size=8)
    return Parts(task, start=2, stop=5, parts=2, rank=0, shares=2)


def test_a_worker_gets_neither_networks_nor_what_lies_on_disk(parts: Parts) -> None:
    assert len(parts.__getstate__()) < 100_000


def test_workers_prepare_the_same_batches(parts: Parts) -> None:
    clean_forks()
    alone, helped = list(parts.loader(0)), list(parts.loader(2))
    assert len(alone) == len(helped) == 6
    for one, other in zip(alone, helped, strict=True):
        assert isinstance(one, Batch)
        assert isinstance(other, Batch)
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.targets, other.targets)
