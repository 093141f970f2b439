"""The projection taught on cached features: pairs, batches, and that it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from trainer.models.nano_image import NanoImageTower
from trainer.models.state import read_state
from trainer.teachers.features import ViewFeatures
from trainer.train.loop import Run
from trainer.train.projection import ProjectionDistillation, pairs
from trainer.train.settings import OptimizerSettings, RunSettings, ScheduleSettings, Settings
from trainer.train.task import Share

PHOTOS, WIDTH, DIM = 96, 20, 12


class Mixing:
    """A teacher: a fixed mixture of the middle features."""

    columns = slice(4, 4 + WIDTH)

    def embed(self, features: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        mixture = np.random.default_rng(9).normal(size=(WIDTH, DIM)).astype(np.float32)
        rows = features[:, self.columns].astype(np.float32) @ mixture
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


TEACHER: Any = Mixing()


@pytest.fixture
def seen() -> list[ViewFeatures]:
    """Features of random photos, twice."""
    found = []
    for seed, name in enumerate(("one", "two")):
        features = np.random.default_rng(seed).normal(size=(PHOTOS, WIDTH + 10))
        keys = [f"{name}-{number}" for number in range(PHOTOS)]
        chances = np.full((PHOTOS, 2), 0.5, np.float16)
        found.append(ViewFeatures(keys, features.astype(np.float16), chances, [[] for _ in keys]))
    return found


def make_task(seen: list[ViewFeatures], **changes: Any) -> ProjectionDistillation:
    """Trained on the first features and measured on the second."""
    torch.manual_seed(0)
    projection = nn.Sequential(nn.Linear(WIDTH, 64), nn.GELU(), nn.Linear(64, DIM))
    features, targets = pairs(seen[:1], TEACHER, Mixing.columns)
    held_features, goals = pairs(seen[1:], TEACHER, Mixing.columns)
    captions = goals.repeat(2, axis=0).astype(np.float32)
    captions /= np.linalg.norm(captions, axis=1, keepdims=True)
    held_out = held_features, goals, captions, np.arange(PHOTOS).repeat(2)
    return ProjectionDistillation(
        projection, features, targets, held_out, **({"batch_size": 32} | changes)
    )


def test_pairs_are_laid_one_below_the_other(seen: list[ViewFeatures]) -> None:
    features, targets = pairs(seen, TEACHER, Mixing.columns)
    assert (features.shape, targets.shape) == ((2 * PHOTOS, WIDTH), (2 * PHOTOS, DIM))
    assert features.dtype == targets.dtype == np.float16
    for number, view in enumerate(seen):
        rows = slice(number * PHOTOS, (number + 1) * PHOTOS)
        assert np.array_equal(features[rows], view.features[:, 4 : 4 + WIDTH])
        expected = TEACHER.embed(view.features, view.probabilities)
        np.testing.assert_allclose(targets[rows], expected, atol=1e-3)


def test_batches_depend_on_the_step_alone(seen: list[ViewFeatures]) -> None:
    task, again = make_task(seen), make_task(seen)
    in_order = [task.batch(step, Share()) for step in range(7)]
    for step in reversed(range(7)):
        batch = again.batch(step, Share())
        assert torch.equal(batch.inputs, in_order[step].inputs)
        assert torch.equal(batch.targets, in_order[step].targets)
    other = make_task(seen, seed=1).batch(0, Share())
    assert not torch.equal(other.inputs, in_order[0].inputs)


def test_an_epoch_takes_each_photo_once_with_its_target(seen: list[ViewFeatures]) -> None:
    task = make_task(seen)
    features, targets = pairs(seen[:1], TEACHER, Mixing.columns)
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


def test_shares_make_up_the_batch(seen: list[ViewFeatures]) -> None:
    task = make_task(seen)
    whole = task.batch(5, Share())
    parts = [task.batch(5, Share(index, 4)) for index in range(4)]
    assert torch.equal(torch.cat([part.inputs for part in parts]), whole.inputs)
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)


def test_loss_is_the_mean_of_one_minus_cosine(seen: list[ViewFeatures]) -> None:
    task = make_task(seen)
    goals = torch.eye(3, DIM)
    for answer, loss in ((7 * goals, 0.0), (-goals, 2.0), (goals.roll(1, 0), 1.0)):
        assert float(task.losses([(answer,)], [goals])["loss"]) == pytest.approx(loss, abs=1e-6)


def test_features_drop_out_in_training_only(seen: list[ViewFeatures]) -> None:
    task = make_task(seen)
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
    seen: list[ViewFeatures], tmp_path: Path
) -> None:
    task = make_task(seen)
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
    assert not tower.load_state_dict(read_state(weights), strict=False).unexpected_keys
    again = task.evaluate(nn.Sequential(tower.projection.eval()))
    assert again == pytest.approx(figures, abs=1e-4)
