"""`photosearch-trainer heads`: an image tower of classifiers that stay as they are."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from workshop import make_workshop, refused, run

from trainer.models import config as configs
from trainer.models.concept_image import ConceptImageTower
from trainer.models.family import build_image_tower
from trainer.models.state import read_state, write_state
from trainer.teachers.head import Head
from trainer.train.heads import Seen, merge_heads

pytestmark = pytest.mark.slow

NAME = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Path]:
    """Photos, a model with one classifier at 64 pixels, its weights, and names of its classes."""
    place = make_workshop(tmp_path_factory.mktemp("heads"), pictures)
    small = dataclasses.asdict(configs.load_config("MobileCLIP-Small"))
    del small["name"]
    small["image"] |= {"tower": NAME, "size": 64, "hidden": 32}
    (place / "configs" / "Small.json").write_text(json.dumps(small))
    torch.manual_seed(0)
    (network,) = ConceptImageTower([NAME], dim=8, hidden=8).classifiers
    write_state(network.state_dict(), place / "lite0.safetensors")
    (place / "classes.json").write_text(json.dumps([f"thing {n}" for n in range(1000)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configs, "_FOLDER", place / "configs")
        yield place


def heads(place: Path, out: str, *more: object) -> object:
    return run(
        *("heads", "--model", "Small", "--class-names", place / "classes.json"),
        *("--captioned", place / "train.tar", "--calibration", place / "train.tar"),
        *("--views", 2, "--seeds", 2, "--epochs", 2, "--merge-epochs", 2),
        *("--cache", place / "cache", "--out", place / out, *more),
    )


def test_a_tower_is_taught_and_what_was_seen_is_kept(place: Path) -> None:
    given = ["--classifier", place / "lite0.safetensors", "--photos", place / "more.tar"]
    result = heads(place, "one", *given, "--validation", place / "val.tar")
    assert result.exit_code == 0, result.output
    assert "val.tar, gallery of 6: R@1" in result.stdout
    tower = build_image_tower(configs.load_config("Small").image, 384)
    tower.load_state_dict(read_state(place / "one" / "image.safetensors"))
    # The classifier is as it was, and each class lies where its name does.
    for name, value in read_state(place / "lite0.safetensors").items():
        assert torch.equal(tower.classifiers[0].state_dict()[name], value), name
    assert tower.concepts.norm(dim=1).detach().numpy() == pytest.approx(1, abs=1e-3)

    seen = {file: file.stat().st_mtime_ns for file in (place / "cache").rglob("*.npy")}
    assert len(seen) == 5
    again = heads(place, "two", *given, "--validation", place / "val.tar")
    assert again.stdout == result.stdout
    assert {file: file.stat().st_mtime_ns for file in (place / "cache").rglob("*.npy")} == seen


def test_what_does_not_fit_is_refused(place: Path) -> None:
    one = ["--classifier", place / "lite0.safetensors"]
    refused(heads(place, "no", *one, *one), 1, r"Small: takes 1 of --classifier")
    refused(heads(place, "no", "--model", "MobileCLIP-Nano", *one), 1, "has no concepts")
    refused(heads(place, "no", *one, "--class-names", place / "names.json"), 1, "6 names, and 1000")
    refused(heads(place, "no", *one, "--captioned", place / "more.tar"), 1, "has no captions")
    assert not (place / "no").exists()


def test_one_head_gives_the_mean_of_several() -> None:
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    concepts = random.standard_normal((6, 12)).astype(np.float32)
    teachers = [Head(20, 12, 16).eval() for _ in range(3)]
    features = random.standard_normal((600, 20)).astype(np.float16)
    chances = random.dirichlet(np.ones(6), 600).astype(np.float16)
    seen = [Seen(features[:500], chances[:500], [[]] * 500)]
    head = merge_heads(teachers, seen, concepts, hidden=64, epochs=80, batch=50)
    inputs = torch.from_numpy(features[500:].astype(np.float32))
    mixture = chances[500:].astype(np.float32) @ concepts
    mixture /= np.linalg.norm(mixture, axis=1, keepdims=True)
    with torch.inference_mode():
        mean = sum(teacher(inputs, torch.from_numpy(mixture)) for teacher in teachers)
        ours = head(inputs, torch.from_numpy(mixture))
    cosines = torch.nn.functional.cosine_similarity(mean, ours)
    assert cosines.mean() > 0.95
    assert torch.nn.functional.cosine_similarity(mean, ours.roll(1, 0)).mean() < 0.8
