"""The image tower taught alone, by what a teacher said of views: no caption takes part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tars import sample, write_tar
from tiny_openclip import write_folder
from train_data import read_table, write_model, write_recipe
from workshop import run, succeeded

from trainer.models.config import read_config
from trainer.models.family import build_from
from trainer.models.state import read_state, write_state

pytestmark = pytest.mark.slow

DIM = 16
HELD_OUT = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """Pieces of real pictures without captions, reinforced, some of them held out."""
    place = tmp_path_factory.mktemp("alone")
    pieces = []
    for file in sorted(pictures.iterdir()):
        picture = Image.open(file).convert("RGB").resize((320, 240))
        for left in range(0, 320, 80):
            pieces += [picture.crop((left, top, left + 80, top + 80)) for top in (0, 80, 160)]
    order = np.random.default_rng(0).permutation(len(pieces))
    for name, part in (("train", order[HELD_OUT:]), ("held", order[:HELD_OUT])):
        members = [m for number in part for m in sample(f"piece{number}", pieces[number], None)]
        write_tar(place / f"{name}.tar", members)
    teacher = write_folder(place / "teacher", seed=0, embed_dim=DIM, logit_scale=50)
    succeeded(
        run(
            "reinforce", place / "train.tar", place / "held.tar",
            "--teacher", f"openclip:local-dir:{teacher}", "--views", 2, "--whole-first",
            "--crop-scale", 0.35, 1, "--view-size", 32, "--quiet", "--out", place / "shards",
        )
    )  # fmt: skip
    bank = np.random.default_rng(5).normal(size=(200, DIM))
    np.save(place / "bank.npy", bank / np.linalg.norm(bank, axis=1, keepdims=True))
    # All that learns is the image tower; the text tower only has to be there.
    torch.manual_seed(3)
    text = build_from(read_config(write_model(place / "text.json"))).text
    write_state(text.state_dict(), place / "text.safetensors")
    return place


def recipe(place: Path, folder: Path, **run_keys: Any) -> Path:
    return write_recipe(
        folder,
        place / "shards",
        model={"text_init": str(place / "text.safetensors"), "freeze": ["text."]},
        data={
            "train": [str(place / "shards" / "train.tar")],
            "agreement": [str(place / "shards" / "held.tar")],
            "augmentation": "nudged",
        },
        loss={
            "lambda": 1.0, "captions": [], "feature": 2.0, "bank": 0.5, "bank_rows": 64,
            "bank_file": str(place / "bank.npy"),
        },
        schedule={"kind": "constant"},
        run={"batch": 16} | run_keys,
    )  # fmt: skip


def train(recipe: Path, out: Path, *sets: str) -> list[dict[str, float]]:
    given = [word for one in sets for word in ("--set", one)]
    result = run("train", recipe, "--out", out, *given)
    succeeded(result)
    return read_table(out / "training.csv")


def test_comes_nearer_to_the_teacher_on_photos_that_it_has_not_seen(
    place: Path, tmp_path: Path
) -> None:
    rows = train(recipe(place, tmp_path, steps=100, log_steps=20), tmp_path / "run")
    first, last = rows[0], rows[-1]
    assert first["loss"] == pytest.approx(2 * first["feature_loss"] + 0.5 * first["bank_loss"])
    assert not any("clip" in name or "distillation" in name for name in first)
    assert last["loss"] < 0.6 * first["loss"]
    figures = read_table(tmp_path / "run" / "validation.csv")
    assert figures[0]["image_cosine"] < 0.4
    assert figures[-1]["image_cosine"] > figures[0]["image_cosine"] + 0.3
    # What takes no part stays: the text tower, and the factor on similarities to texts.
    state = read_state(tmp_path / "run" / "model.safetensors")
    for name, value in read_state(place / "text.safetensors").items():
        assert torch.equal(state[f"text.{name}"], value)
    assert state["logit_scale"].exp().item() == pytest.approx(1 / 0.07)


def test_goes_on_with_the_same_weights(place: Path, tmp_path: Path) -> None:
    mine = recipe(place, tmp_path, steps=6)
    train(mine, tmp_path / "whole")
    train(mine, tmp_path / "parts", "run.steps=3")
    train(mine, tmp_path / "parts", "run.workers=1")
    whole, parts = (read_state(tmp_path / n / "model.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(parts[name], value) for name, value in whole.items())


def test_gives_the_same_in_parts(place: Path, tmp_path: Path) -> None:
    mine = recipe(place, tmp_path, steps=3)
    whole, parts = (
        train(mine, tmp_path / "whole"),
        train(mine, tmp_path / "parts", "run.accumulate=2"),
    )
    for one, other in zip(whole, parts, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
