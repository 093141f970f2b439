"""The projection taught on cached features: pairs of files, batches, and that it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from trainer.models.nano_image import NanoImageTower, load_projection
from trainer.teachers.embeddings import read_embeddings, write_embeddings
from trainer.teachers.features import ViewFeatures
from trainer.train.loop import Run
from trainer.train.projection import ProjectionDistillation, load_pairs
from trainer.train.settings import OptimizerSettings, RunSettings, ScheduleSettings, Settings
from trainer.train.task import Share

PHOTOS, WIDTH, DIM = 96, 20, 12


class Mixing:
    """A teacher for `write_embeddings`: a fixed mixture of the middle features."""

    columns = slice(4, 4 + WIDTH)

    def embed(self, features: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        mixture = np.random.default_rng(9).normal(size=(WIDTH, DIM)).astype(np.float32)
        rows = features[:, self.columns].astype(np.float32) @ mixture
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def stored_pair(folder: Path, name: str, seed: int) -> tuple[Path, Path]:
    """A file of features of random photos, and a file of the teacher's embeddings of them."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(PHOTOS, WIDTH + 10)).astype(np.float16)
    keys = [f"{name}-{number}" for number in range(PHOTOS)]
    chances = np.full((PHOTOS, 2), 0.5, np.float16)
    cached = folder / f"{name}.view0.npz"
    views = np.zeros((PHOTOS, 6), np.float32)
    ViewFeatures(keys, views, features, chances, [[] for _ in keys]).save(cached)
    teacher: Any = Mixing()
    return cached, write_embeddings(teacher, cached, folder / "embeddings")


@pytest.fixture
def pairs(tmp_path: Path) -> list[tuple[Path, Path]]:
    return [stored_pair(tmp_path, name, seed) for seed, name in enumerate(("one", "two"))]


def make_task(pairs: list[tuple[Path, Path]], **changes: Any) -> ProjectionDistillation:
    """Trained on the first pair of files and measured on the second."""
    torch.manual_seed(0)
    projection = nn.Sequential(nn.Linear(WIDTH, 64), nn.GELU(), nn.Linear(64, DIM))
    features, targets = load_pairs(pairs[:1], Mixing.columns)
    held_features, goals = load_pairs(pairs[1:], Mixing.columns)
    captions = goals.repeat(2, axis=0).astype(np.float32)
    captions /= np.linalg.norm(captions, axis=1, keepdims=True)
    held_out = held_features, goals, captions, np.arange(PHOTOS).repeat(2)
    return ProjectionDistillation(
        projection, features, targets, held_out, **({"batch_size": 32} | changes)
    )


class TestPairs:
    def test_are_laid_one_below_the_other(self, pairs: list[tuple[Path, Path]]) -> None:
        features, targets = load_pairs(pairs, Mixing.columns)
        assert (features.shape, targets.shape) == ((2 * PHOTOS, WIDTH), (2 * PHOTOS, DIM))
        assert features.dtype == targets.dtype == np.float16
        for number, (cached, embedded) in enumerate(pairs):
            rows = slice(number * PHOTOS, (number + 1) * PHOTOS)
            seen = ViewFeatures.load(cached)
            assert np.array_equal(features[rows], seen.features[:, 4 : 4 + WIDTH])
            assert np.array_equal(targets[rows], read_embeddings(embedded, seen.keys, cached)[1])

    def test_of_different_photos_are_refused(self, pairs: list[tuple[Path, Path]]) -> None:
        (one, _), (_, two) = pairs
        with pytest.raises(ValueError, match=r"two\.view0\.npz: holds other photos than .*one\.v"):
            load_pairs([(one, two)], Mixing.columns)

    def test_missing_or_damaged(self, pairs: list[tuple[Path, Path]], tmp_path: Path) -> None:
        cached, embedded = pairs[0]
        with pytest.raises(ValueError, match=r"gone\.npz: no such file; run `teach` or `embed`"):
            load_pairs([(tmp_path / "gone.npz", embedded)], Mixing.columns)
        with pytest.raises(ValueError, match=r"gone\.npz: no such file; run `embed`"):
            load_pairs([(cached, tmp_path / "gone.npz")], Mixing.columns)
        whole = embedded.read_bytes()
        for content in (b"", whole[: len(whole) // 2], cached.read_bytes()):
            embedded.write_bytes(content)
            with pytest.raises(ValueError, match=r"view0\.npz: not a file of embeddings"):
                load_pairs([(cached, embedded)], Mixing.columns)


def test_batches_depend_on_the_step_alone(pairs: list[tuple[Path, Path]]) -> None:
    task, again = make_task(pairs), make_task(pairs)
    in_order = [task.batch(step, Share()) for step in range(7)]
    for step in reversed(range(7)):
        batch = again.batch(step, Share())
        assert torch.equal(batch.inputs, in_order[step].inputs)
        assert torch.equal(batch.targets, in_order[step].targets)
    other = make_task(pairs, seed=1).batch(0, Share())
    assert not torch.equal(other.inputs, in_order[0].inputs)


def test_an_epoch_takes_each_photo_once_with_its_target(pairs: list[tuple[Path, Path]]) -> None:
    task = make_task(pairs)
    features, targets = load_pairs(pairs[:1], Mixing.columns)
    place = {row.tobytes(): number for number, row in enumerate(features)}
    epochs = []
    for epoch in range(2):
        seen = []
        for step in range(3 * epoch, 3 * epoch + 3):
            batch = task.batch(step, Share())
            for row, target in zip(batch.inputs, batch.targets, strict=True):
                seen.append(place[row.numpy().astype(np.float16).tobytes()])
                assert np.array_equal(target, targets[seen[-1]].astype(np.float32))
        assert sorted(seen) == list(range(PHOTOS))
        epochs.append(seen)
    assert epochs[0] != epochs[1]


def test_shares_make_up_the_batch(pairs: list[tuple[Path, Path]]) -> None:
    task = make_task(pairs)
    whole = task.batch(5, Share())
    parts = [task.batch(5, Share(index, 4)) for index in range(4)]
    assert torch.equal(torch.cat([part.inputs for part in parts]), whole.inputs)
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)


def test_loss_is_the_mean_of_one_minus_cosine(pairs: list[tuple[Path, Path]]) -> None:
    task = make_task(pairs)
    goals = torch.eye(3, DIM)
    for answer, loss in ((7 * goals, 0.0), (-goals, 2.0), (goals.roll(1, 0), 1.0)):
        assert float(task.losses([(answer,)], [goals])["loss"]) == pytest.approx(loss, abs=1e-6)


def test_features_drop_out_in_training_only(pairs: list[tuple[Path, Path]]) -> None:
    task = make_task(pairs)
    inputs = task.batch(0, Share()).inputs
    with torch.no_grad():
        task.train_mode()
        (one,), (two,) = (task.embed(task.model, inputs) for _ in range(2))
        assert not torch.equal(one, two)
        task.model.eval()
        (one,), (two,) = (task.embed(task.model, inputs) for _ in range(2))
        assert torch.equal(one, two)


@pytest.mark.slow
def test_learns_what_the_teacher_does_and_fits_a_tower(
    pairs: list[tuple[Path, Path]], tmp_path: Path
) -> None:
    task = make_task(pairs)
    before = task.evaluate(task.model.eval())
    settings = Settings(
        run=RunSettings(
            steps=150, batch=32, precision="float32", ema=0.95, workers=0, evaluate_steps=150
        ),
        optimizer=OptimizerSettings(learning_rate=1e-2, weight_decay=0.01),
        schedule=ScheduleSettings(warmup=10),
    )
    run = Run(task, settings, tmp_path / "run")
    figures = run.train()
    assert abs(before["cosine"]) < 0.2
    assert before["r10"] < 0.3
    assert figures["cosine"] > 0.9
    assert figures["r10"] >= figures["r1"] > 0.9
    (weights,) = (tmp_path / "run").glob("model.*")
    tower = NanoImageTower(dim=DIM, hidden=64)
    tower.projection[0] = nn.Linear(WIDTH, 64)
    load_projection(tower, weights)
    again = task.evaluate(nn.Sequential(tower.projection.eval()))
    assert again == pytest.approx(figures, abs=1e-4)
