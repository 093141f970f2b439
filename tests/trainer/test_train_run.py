"""`photosearch-trainer train` on real reinforced shards: what it learns, kills, many processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from forked import alive, in_a_fork
from optional import needs_fork
from PIL import Image
from shell import REPOSITORY
from tars import sample, write_tar
from train_data import read_table, shared_shards, write_model, write_recipe, write_validation

from trainer.cli import main
from trainer.models.checkpoints import load_into
from trainer.models.config import read_config
from trainer.models.family import build_from
from trainer.models.state import read_state, write_state
from trainer.train.loop import Run

pytestmark = pytest.mark.slow

COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_shards(tmp_path_factory)


def invoke(recipe: Path, out: Path, *sets: str) -> Result:
    arguments = ["train", str(recipe), "--out", str(out)]
    for override in sets:
        arguments += ["--set", override]
    return CliRunner().invoke(main, arguments)


def train(recipe: Path, out: Path, *sets: str) -> list[dict[str, float]]:
    """Run the command here, and return the rows of `training.csv`."""
    result = invoke(recipe, out, *sets)
    assert result.exit_code == 0, result.output
    return read_table(out / "training.csv")


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def close(left: Any, right: Any, tolerance: float = 1e-4) -> None:
    """Assert that two runs' rows are the same up to rounding."""
    assert [row.keys() for row in left] == [row.keys() for row in right]
    for mine, theirs in zip(left, right, strict=True):
        assert mine == pytest.approx(theirs, rel=tolerance, abs=tolerance)


@pytest.mark.usefixtures("curves")
def test_a_student_learns_from_reinforced_shards(shards: Path, tmp_path: Path) -> None:
    validation = write_validation(tmp_path / "validation" / "photos.tar")
    recipe = write_recipe(tmp_path, shards, data={"validation": [str(validation)]})
    out = tmp_path / "run"
    longer = ("run.steps=60", "run.batch=20", "run.log_steps=10", "run.evaluate_steps=25")
    rows = train(recipe, out, *longer)
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    for row in rows:
        parts = [
            0.25 * row[f"clip_loss_{kind}"] + 0.75 * row[f"distillation_loss_{kind}"]
            for kind in ("real", "synthetic")
        ]
        assert row["loss"] == pytest.approx(sum(parts), rel=1e-4)
    assert rows[0]["logit_scale"] == pytest.approx(1 / 0.07, rel=0.05)
    held_out = read_table(out / "validation.csv")
    assert [row["step"] for row in held_out] == [0, 25, 50, 60]
    figures = {"text_to_photo_r1", "text_to_photo_r10", "photo_to_text_r1", "photo_to_text_r10"}
    assert held_out[-1].keys() == {"step"} | figures
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert {file.name for file in out.iterdir()} == {
        "checkpoint.safetensors", "model.safetensors", "best.safetensors", "training.csv",
        "validation.csv", "curves.png", "curves.json", "run.json",
    }  # fmt: skip


def test_photos_with_labels_are_classified_by_their_names(shards: Path, tmp_path: Path) -> None:
    members = [
        member
        for number, name in enumerate(["a cat", "a dog", "a car"] * 2)
        for member in sample(
            f"l{number}", Image.new("RGB", (40, 40), COLOURS[number % 3]), {"label": name}
        )
    ]
    # What has no label that says something is left out.
    unnamed = sample("u", Image.new("RGB", (40, 40)), {})
    labelled = write_tar(tmp_path / "labelled.tar", [*members, *unnamed])
    recipe = write_recipe(tmp_path, shards, data={"zero_shot": [str(labelled)]})
    result = invoke(recipe, tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "6 photos of 3 classes (chance top-1 33.33%)" in result.output
    for row in read_table(tmp_path / "run" / "validation.csv"):
        assert row.keys() == {"step", "zero_shot_top1"}
        # Equal pictures are taken for the same.
        assert row["zero_shot_top1"] in (0.0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0)
    wrong = invoke(recipe, tmp_path / "other", f'data.zero_shot=["{tmp_path / "none.tar"}"]')
    assert wrong.exit_code != 0
    assert "[data] zero_shot: no such file" in wrong.output


def _run_until_killed(workers: Path, *arguments: str) -> None:
    """The command, killed before step 7: the last checkpoint is that of step 6.

    The numbers of its workers are in the file `workers` then.
    """
    update = Run._update

    def killed(run: Run, batches: Any) -> None:
        if run.step == 7:
            numbers = [str(process.pid) for process in multiprocessing.active_children()]
            workers.write_text(" ".join(numbers))
            os.kill(os.getpid(), signal.SIGKILL)
        update(run, batches)

    Run._update = killed
    main(["train", *arguments, "--set", "run.checkpoint_seconds=0"])


def _run_until_told(*arguments: str) -> None:
    """The command, told to end at step 9 together with its worker, as batch systems do."""
    update = Run._update

    def told(run: Run, batches: Any) -> None:
        if run.step == 9:
            for process in multiprocessing.active_children():
                os.kill(process.pid, signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        update(run, batches)

    Run._update = told
    main(["train", *arguments])


@needs_fork
def test_a_killed_run_ends_bit_identical(shards: Path, tmp_path: Path) -> None:
    # With random numbers in the network, and in the workers' batches.
    model = write_model(tmp_path / "random.json", drop_path=0.4)
    recipe = write_recipe(
        tmp_path, shards, model={"name": str(model)}, run={"steps": 12, "workers": 1}
    )
    train(recipe, tmp_path / "whole")
    killed = tmp_path / "killed"
    workers = tmp_path / "workers"
    code = in_a_fork(_run_until_killed, workers, str(recipe), "--out", str(killed))
    assert code == -signal.SIGKILL
    (worker,) = map(int, workers.read_text().split())
    for _ in range(1200):
        if not alive(worker):
            break
        time.sleep(0.05)
    assert not alive(worker)
    assert (killed / "checkpoint.safetensors").exists()
    assert not (killed / "model.safetensors").exists()

    code = in_a_fork(_run_until_told, str(recipe), "--out", str(killed))
    assert code == 128 + signal.SIGTERM
    result = invoke(recipe, killed)
    assert result.exit_code == 0, result.output
    assert "going on from step 10" in result.output
    whole = read_state(tmp_path / "whole" / "model.safetensors")
    assert same(whole, read_state(killed / "model.safetensors"))
    assert read_table(killed / "training.csv") == read_table(tmp_path / "whole" / "training.csv")


def test_two_processes_give_the_losses_of_one_and_go_on_from_each_other(
    shards: Path, tmp_path: Path
) -> None:
    """With the batch whole and in parts, and with the weights spread over both (FSDP2)."""
    validation = write_validation(tmp_path / "validation" / "photos.tar")
    model = write_model(tmp_path / "plain.json", text="transformer")
    recipe = write_recipe(
        tmp_path,
        shards,
        model={"name": str(model)},
        data={"validation": [str(validation)]},
        loss={"feature": 0.5},
        # With half of the steps, the first ones are the same.
        schedule={"kind": "constant"},
    )
    half, spread = "run.steps=4", "run.shard=true"
    alone = train(recipe, tmp_path / "alone")
    train(recipe, tmp_path / "spread_after_one", half)
    runs = {
        "whole": [()],
        "parts": [("run.accumulate=2",)],
        "spread": [(spread, "run.accumulate=2")],
        "spread_after_one": [(spread,)],
        "spread_after_two": [(half,), (spread,)],
        "one_after_spread": [(half, spread, "run.log_steps=1")],
    }
    # Where only one process finds a checkpoint: it is not of a folder that both see.
    shutil.copytree(tmp_path / "spread_after_one", tmp_path / "apart-0")
    arguments = [
        [str(recipe), "--out", str(tmp_path / name), *(a for one in sets for a in ("--set", one))]
        for name, parts in runs.items()
        for sets in parts
    ]
    arguments.append([str(recipe), "--out", str(tmp_path / "apart-{rank}"), "--set", spread])
    (tmp_path / "runs.json").write_text(json.dumps(arguments))
    # A Python of its own: what torchrun forks must not have threads behind it, as pytest's has.
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "--log-dir", tmp_path / "logs", "--redirects", "3"),
            *((Path(__file__).parents[1] / "torchrun_shared.py"), tmp_path / "runs.json"),
        ],
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "PYTHONFAULTHANDLER": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = [file.read_text() for file in (tmp_path / "logs").rglob("std*.log")]
    assert launched.returncode == 0, "\n".join([*told, launched.stderr])
    assert sum(text.count("2 x cpu") for text in told) == len(arguments), "only the first speaks"
    for rank, step in ((0, 4), (1, 0)):
        refused = f"apart-{rank}: this process goes on from step {step}, others from steps 0 to 4"
        assert sum(refused in text for text in told) == 1, told
    rows = train(recipe, tmp_path / "one_after_spread")
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 6, 8]
    close(rows[4:], alone[2:], tolerance=1e-5)
    for name in runs:
        two = tmp_path / name
        if name != "one_after_spread":
            close(read_table(two / "training.csv"), alone, tolerance=1e-5)
        close(read_table(two / "validation.csv"), read_table(tmp_path / "alone" / "validation.csv"))
        mine = read_state(two / "model.safetensors")
        for key, value in read_state(tmp_path / "alone" / "model.safetensors").items():
            torch.testing.assert_close(mine[key], value, rtol=1e-3, atol=1e-4)


def test_accumulation_gives_the_gradient_of_the_whole_batch(shards: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "plain.json", text="transformer")
    recipe = write_recipe(tmp_path, shards, model={"name": str(model)})
    at_once = train(recipe, tmp_path / "at_once")
    in_parts = train(recipe, tmp_path / "in_parts", "run.accumulate=4")
    close(in_parts, at_once)


def test_batch_statistics_are_counted_once_in_accumulation(shards: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "norms.json", tower="batch_norm")
    recipe = write_recipe(tmp_path, shards, model={"name": str(model)})
    train(recipe, tmp_path / "run", "run.accumulate=2", "run.steps=3", "run.ema=0")
    state = read_state(tmp_path / "run" / "model.safetensors")
    counts = {int(v) for name, v in state.items() if name.endswith("num_batches_tracked")}
    assert counts == {6}, "three steps of two parts"


def test_bfloat16_is_close_to_float32(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards)
    full = train(recipe, tmp_path / "full")
    half = train(recipe, tmp_path / "half", "run.precision=bfloat16")
    close(half, full, tolerance=0.05)
    assert half != full


def test_frozen_parts_stay_as_they_were(shards: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "norms.json", tower="batch_norm")
    recipe = write_recipe(tmp_path, shards, model={"name": str(model)}, run={"ema": 0.0})
    train(recipe, tmp_path / "first", "run.steps=1")
    first = read_state(tmp_path / "first" / "model.safetensors")
    train(
        recipe,
        tmp_path / "second",
        f"model.init={tmp_path / 'first' / 'model.safetensors'}",
        'model.freeze=["text.", "logit_scale"]',
        'model.freeze_batch_norm=["visual."]',
    )
    second = read_state(tmp_path / "second" / "model.safetensors")
    kept = {name for name in first if torch.equal(first[name], second[name])}
    assert {name for name in first if name.startswith("text.")} <= kept
    assert "logit_scale" in kept
    statistics = {name for name in first if "running_" in name}
    assert statistics
    assert statistics <= kept
    learned = {name for name in first if name.startswith("visual.") and name.endswith("weight")}
    assert len(learned - kept) == len(learned)


def test_towers_start_from_files_of_their_own(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards)
    train(recipe, tmp_path / "first", "run.steps=4")
    weights = tmp_path / "first" / "model.safetensors"
    first = read_state(weights)
    train(
        recipe,
        tmp_path / "second",
        f"model.text_init={weights}",
        'model.freeze=["text."]',
        "run.seed=1",
    )
    second = read_state(tmp_path / "second" / "model.safetensors")
    assert all(torch.equal(first[n], second[n]) for n in first if n.startswith("text."))
    assert not torch.equal(first["visual.trunk.cls_token"], second["visual.trunk.cls_token"])
    recipe.write_text(recipe.read_text().replace("[loss]", "[loss]\nfeature = 1"))
    result = invoke(recipe, tmp_path / "third", f"model.image_init={tmp_path / 'nothing.pt'}")
    assert result.exit_code == 1
    assert "[model] image_init: no such file" in result.output


def test_a_transformer_takes_pictures_of_another_size(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards)
    train(recipe, tmp_path / "first", "run.steps=1")
    weights = tmp_path / "first" / "model.safetensors"
    sizes = (f"model.init={weights}", "data.image_size=64", "run.steps=1")
    train(recipe, tmp_path / "second", *sizes)
    states = [read_state(tmp_path / run / "model.safetensors") for run in ("first", "second")]
    table = "visual.trunk.pos_embed"
    assert states[0][table].shape[1] < states[1][table].shape[1]
    # And back to the size that the configuration says.
    model = build_from(read_config(tmp_path / "student.json"))
    load_into(model, tmp_path / "second" / "model.safetensors")
    assert model.state_dict()[table].shape == states[0][table].shape


def test_the_factor_on_similarities_stays_below_100(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards, run={"ema": 0.0, "steps": 1})
    train(recipe, tmp_path / "first")
    state = read_state(tmp_path / "first" / "model.safetensors")
    write_state(state | {"logit_scale": torch.tensor(5.0)}, tmp_path / "large.safetensors")
    train(recipe, tmp_path / "second", f"model.init={tmp_path / 'large.safetensors'}")
    scale = read_state(tmp_path / "second" / "model.safetensors")["logit_scale"].exp()
    assert scale.item() == pytest.approx(100)


def test_a_student_learns_with_the_loss_of_siglip(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards, loss={"lambda": 0.0}, data={"augmentation": "light"})
    train(recipe, tmp_path / "softmax", "run.steps=2")
    first = f"model.init={tmp_path / 'softmax' / 'model.safetensors'}"
    sigmoid = ("loss.contrastive=sigmoid", 'loss.captions=["synthetic"]', "run.accumulate=2")
    longer = ("run.steps=16", "run.log_steps=4", "run.ema=0", 'optimizer.rates={"logit_" = 10.0}')
    out = tmp_path / "run"
    rows = train(recipe, out, first, *sigmoid, *longer)
    # What a softmax has learned is no scale of a sigmoid: it starts anew.
    assert rows[0]["logit_scale"] == pytest.approx(10, rel=0.1)
    assert rows[0]["logit_bias"] == pytest.approx(-10, abs=0.2)
    assert rows[0]["loss"] == rows[0]["sigmoid_loss_synthetic"]
    assert rows[-1]["loss"] < 0.9 * rows[0]["loss"]
    learned = read_state(out / "model.safetensors")
    assert abs(learned["logit_bias"].item() + 10) > 0.02
    on = f"model.init={out / 'model.safetensors'}"
    again = train(recipe, tmp_path / "on", on, *sigmoid, "run.steps=2")
    assert again[0]["logit_bias"] == pytest.approx(learned["logit_bias"].item(), abs=0.05)
    # And CLIP's loss, which has none, passes over the bias.
    train(recipe, tmp_path / "back", f"model.init={out / 'model.safetensors'}", "run.steps=1")
    assert "logit_bias" not in read_state(tmp_path / "back" / "model.safetensors")


RUNGS = {
    "captions": ('loss.captions=["real"]', "loss.lambda=0", "data.augmentation=light"),
    "synthetic captions": ("loss.lambda=0", "data.augmentation=light"),
    "distillation": ("loss.lambda=1", 'loss.teachers=["FIRST"]', "data.views=1"),
    "strong augmentation": ("loss.lambda=1", 'loss.teachers=["FIRST"]'),
    "ensemble": ("loss.lambda=1",),
    "mix": ("loss.lambda=0.7", "loss.teacher_scale=[70.0, 60.0]"),
}
TERMS = {
    "captions": {"clip_loss_real"},
    "synthetic captions": {"clip_loss_real", "clip_loss_synthetic"},
    "mix": {
        "clip_loss_real", "clip_loss_synthetic", "distillation_loss_real",
        "distillation_loss_synthetic",
    },
}  # fmt: skip


@pytest.mark.parametrize("rung", RUNGS)
def test_every_rung_of_the_ablation_is_a_recipe(shards: Path, tmp_path: Path, rung: str) -> None:
    from trainer.data.reinforced import read_manifest

    first = read_manifest(shards / "photos-0.tar").teachers[0].name
    recipe = write_recipe(tmp_path, shards, run={"steps": 2})
    sets = [override.replace("FIRST", first) for override in RUNGS[rung]]
    (row,) = train(recipe, tmp_path / "run", *sets)
    terms = TERMS.get(rung, {"distillation_loss_real", "distillation_loss_synthetic"})
    assert {name for name in row if "loss_" in name} == terms


def test_extensions_pull_towards_the_teacher_of_the_same_space(
    shards: Path, tmp_path: Path
) -> None:
    import numpy as np

    bank = np.random.default_rng(0).standard_normal((50, 16)).astype(np.float16)
    np.save(tmp_path / "bank.npy", bank / np.linalg.norm(bank, axis=1, keepdims=True))
    recipe = write_recipe(
        tmp_path,
        shards,
        loss={
            "lambda": 1.0, "feature": 2.0, "bank": 0.5, "bank_rows": 20, "bank_scale": 5.0,
            "bank_file": str(tmp_path / "bank.npy"), "captions": ["synthetic"],
        },
    )  # fmt: skip
    rows = train(recipe, tmp_path / "run", "run.steps=40", "run.batch=20", "run.log_steps=10")
    first, last = rows[0], rows[-1]
    expected = (
        first["distillation_loss_synthetic"] + 2 * first["feature_loss"] + 0.5 * first["bank_loss"]
    )
    assert first["loss"] == pytest.approx(expected, rel=1e-4)
    assert last["feature_loss"] < 0.8 * first["feature_loss"]
    assert last["bank_loss"] < 0.8 * first["bank_loss"]


WRONG = {
    "run.batch=41": "more than the 40 photos",
    "run.accumulate=3": "run.batch = 8: cannot be shared by 1 processes in 3 parts",
    "run.precision=float16": "needs CUDA",
    "run.compile=true": "run.compile = true needs CUDA",
    "run.shard=true": "run.shard: cannot be had together with channels_last",
    'loss.teachers=["nobody"]': "[loss] teachers: the shards have no 'nobody'",
    "loss.teacher_scale=[1.0]": "[loss] teacher_scale: 1 values for 2 teachers",
    'model.freeze=["txt."]': "[model] freeze: no parameter of",
    'model.freeze=["visual."]': "[model] image_init: missing, and visual. is frozen",
    'model.freeze=["text."]': "[model] text_init: missing, and text. is frozen",
    'optimizer.rates={"head." = 0.1}': "optimizer.rates: no parameter's name begins with 'head.'",
    "run.gradient_checkpointing=1": "[run] gradient_checkpointing: must be true or false",
    "data.augmentation=light": '[data] augmentation: must be "stored" or "nudged"',
}
if not torch.cuda.is_available():
    WRONG["run.device=cuda"] = "finds no CUDA device"


@pytest.mark.parametrize("override", WRONG)
def test_what_does_not_go_together_is_refused(shards: Path, tmp_path: Path, override: str) -> None:
    recipe = write_recipe(tmp_path, shards, run={"channels_last": override == "run.shard=true"})
    result = invoke(recipe, tmp_path / "run", override)
    assert result.exit_code == 1
    assert WRONG[override] in result.output
    assert "Traceback" not in result.output


def test_a_run_goes_on_only_with_its_own_recipe(shards: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, shards)
    train(recipe, tmp_path / "run", "run.steps=2")
    result = invoke(recipe, tmp_path / "run", "run.steps=2", "loss.lambda=0.5")
    assert result.exit_code == 1
    assert "loss.lambda was 0.75 and is 0.5" in result.output
    # What the weights so far do not depend on may change; the same shards may lie elsewhere.
    moved = shutil.copytree(shards, tmp_path / "moved")
    sets = ("run.steps=3", "run.log_steps=1", f'data.train=["{moved}/*.tar"]')
    rows = train(recipe, tmp_path / "run", *sets)
    assert [row["step"] for row in rows] == [2, 3]
    # What it has come to is measured as it is, or the checkpoint of a run that is not over.
    captioned = write_validation(tmp_path / "photos.tar")
    for _ in ("model", "checkpoint"):
        arguments = [str(tmp_path / "run"), "--captioned", str(captioned), "--device", "cpu"]
        measured = CliRunner().invoke(main, ["evaluate", *arguments])
        assert measured.exit_code == 0, measured.output
        assert "Model student-weights-" in measured.output
        (tmp_path / "run" / "model.safetensors").unlink(missing_ok=True)
    (moved / "photos-1.tar").unlink()
    result = invoke(recipe, tmp_path / "run", *sets)
    assert result.exit_code == 1
    assert "shards.sha256 was" in result.output
