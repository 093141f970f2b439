"""The training loop, killed and resumed as a real process."""

from __future__ import annotations

import csv
import os
import signal
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from forked import clean_forks, in_a_fork
from optional import needs_fork

from trainer.errors import StoppedError
from trainer.models.mct import TextRepMixer
from trainer.models.state import read_state
from trainer.train import checkpoint, log
from trainer.train.kept import locked
from trainer.train.loop import Run
from trainer.train.optimizer import rate
from trainer.train.processes import ALONE, Processes
from trainer.train.settings import OptimizerSettings, RunSettings, ScheduleSettings, Settings
from trainer.train.text import TextDistillation

pytestmark = pytest.mark.slow

TEXTS = [f"{size} {colour} {thing}" for size in ("big", "small") for colour in ("red", "blue")
         for thing in ("cat", "dog", "bus", "cup", "hat", "tree", "fish", "boat")]  # fmt: skip
DIM = 12


def tokenise(texts: list[str]) -> np.ndarray:
    rows = np.zeros((len(texts), 24), np.int64)
    for row, text in zip(rows, texts, strict=True):
        letters = [ord(letter) % 50 + 1 for letter in text[:22]]
        row[: len(letters) + 1] = [*letters, 63]
    return rows


def make_run(
    folder: Path,
    *,
    steps: int = 24,
    learning_rate: float = 3e-3,
    processes: Processes = ALONE,
    **run: Any,
) -> Run:
    torch.manual_seed(0)
    tower = TextRepMixer(
        context_length=24, vocab_size=64, width=16, heads=2, layers=1, output_dim=DIM
    )
    targets = np.random.default_rng(0).standard_normal((len(TEXTS), DIM))
    targets = (targets / np.linalg.norm(targets, axis=1, keepdims=True)).astype(np.float16)
    task = TextDistillation(
        tower, tokenise, TEXTS, targets, {"seen": (TEXTS, targets)}, batch_size=8
    )
    settings = Settings(
        run=RunSettings(
            **{
                "steps": steps, "batch": 8, "precision": "float32", "ema": 0.999, "workers": 0,
                "log_steps": 4, "evaluate_steps": 8, "checkpoint_seconds": 1000,
            } | run
        ),
        optimizer=OptimizerSettings(learning_rate=learning_rate, weight_decay=0.05),
        schedule=ScheduleSettings(warmup=4, final_rate=learning_rate / 100),
    )  # fmt: skip
    return Run(task, settings, folder, processes)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return read_state(folder / "model.safetensors")


def table(path: Path) -> list[dict[str, float]]:
    """A CSV file, without what depends on the clock."""
    with path.open(newline="") as file:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    return [{k: v for k, v in row.items() if k not in ("seconds", "per_second")} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    make_run(folder).train()
    return folder


def _run_until_ended(folder: Path, step: int, number: int, *, in_write: bool = False) -> None:
    """Goes on, and gets signal `number` before `step` or in the middle of the next checkpoint."""
    run = make_run(folder, checkpoint_seconds=0)
    run.resume()
    update = run._update

    def ended(batches: Any) -> None:
        if run.step == step and in_write:
            _signal_in_next_write(number)
        elif run.step == step:
            os.kill(os.getpid(), number)
        update(batches)

    run._update = ended
    try:
        run.train()
    except StoppedError as error:
        sys.exit(128 + error.number)


def _signal_in_next_write(number: int) -> None:
    fsync = os.fsync

    def ended(file: int) -> None:
        os.fsync = fsync
        os.kill(os.getpid(), number)

    os.fsync = ended


@needs_fork
def test_a_run_that_is_ended_again_and_again_ends_bit_identical(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ended"

    def step_of_checkpoint() -> int:
        return int(checkpoint.read_about(folder / "checkpoint.safetensors")["step"])

    # Killed in its first row, told to end in the middle of one, killed later and while it writes.
    assert in_a_fork(_run_until_ended, folder, 2, signal.SIGKILL) == -signal.SIGKILL
    assert not (folder / "checkpoint.safetensors").exists()
    assert in_a_fork(_run_until_ended, folder, 0, signal.SIGTERM) == 128 + signal.SIGTERM
    assert step_of_checkpoint() == 1
    assert in_a_fork(_run_until_ended, folder, 5, signal.SIGTERM) == 128 + signal.SIGTERM
    assert step_of_checkpoint() == 6, "the step that it was at is finished and saved"
    assert in_a_fork(_run_until_ended, folder, 14, signal.SIGKILL) == -signal.SIGKILL
    assert step_of_checkpoint() == 12
    assert in_a_fork(_kill_in_write, folder) == -signal.SIGKILL
    assert step_of_checkpoint() == 16
    assert list(folder.glob("*.part"))
    assert not (folder / "model.safetensors").exists()
    assert in_a_fork(_end_in_write, folder) == 128 + signal.SIGTERM
    # The checkpoint that it was writing, and the step after it.
    assert step_of_checkpoint() == 21

    resumed = make_run(folder)
    assert resumed.resume()
    assert resumed.step == 21
    resumed.train()
    expected, again = weights(whole), weights(folder)
    assert expected.keys() == again.keys()
    assert all(torch.equal(expected[name], again[name]) for name in expected)
    for name in ("training.csv", "validation.csv"):
        assert table(folder / name) == table(whole / name)
    files = {"checkpoint", "model", "best"}
    assert {file.name for file in folder.iterdir()} == {
        *(f"{name}.safetensors" for name in files), "training.csv", "validation.csv",
        "curves.png", "curves.json", "run.json",
    }  # fmt: skip


def _kill_in_write(folder: Path) -> None:
    _run_until_ended(folder, 17, signal.SIGKILL, in_write=True)


def _end_in_write(folder: Path) -> None:
    _run_until_ended(folder, 17, signal.SIGTERM, in_write=True)


def _one_of_two(
    rank: int, met: Path, folder: Path, step: int, number: int, who: int, in_write: bool
) -> None:
    """As `_run_until_ended`, in two processes; process `who` gets the signal, or with 2 both."""
    log.plot_curves = lambda *given: None  # which takes longer than the run
    # They meet in a file: a port that is free now may be another's a moment later.
    dist.init_process_group("gloo", init_method=met.as_uri(), rank=rank, world_size=2)
    run = make_run(folder, processes=Processes(rank, 2, torch.device("cpu")), checkpoint_seconds=0)
    run.resume()
    update = run._update

    def ended(batches: Any) -> None:
        if run.step == step and who in (rank, 2):
            if in_write:
                _signal_in_next_write(number)
            else:
                os.kill(os.getpid(), number)
        update(batches)

    run._update = ended
    try:
        run.train()
    except StoppedError as error:
        sys.exit(128 + error.number)
    finally:
        dist.destroy_process_group()


def _in_two(
    folder: Path, step: int = -1, number: int = 0, who: int = 2, *, in_write: bool = False
) -> list[int | None]:
    """The exit codes of both processes."""
    met = folder.with_suffix(".met")
    met.unlink(missing_ok=True)
    start = clean_forks().Process
    arguments = (met, folder, step, number, who, in_write)
    processes = [start(target=_one_of_two, args=(rank, *arguments)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        process.kill()  # what hangs is to fail the test, and not to stay
    return [process.exitcode for process in processes]


@needs_fork
def test_two_processes_that_are_ended_again_and_again_end_bit_identical(tmp_path: Path) -> None:
    folder = tmp_path / "ended"

    def step_of_checkpoint() -> int:
        return int(checkpoint.read_about(folder / "checkpoint.safetensors")["step"])

    assert _in_two(tmp_path / "whole") == [0, 0]
    told, killed = 128 + signal.SIGTERM, -signal.SIGKILL
    # Who is killed takes the other with it, for that cannot go on alone.
    assert _in_two(folder, 2, signal.SIGKILL, 1) == [1, killed]
    assert not (folder / "checkpoint.safetensors").exists()
    # Who is told to end tells the other.
    assert _in_two(folder, 0, signal.SIGTERM, 1) == [told, told]
    assert step_of_checkpoint() == 1
    assert _in_two(folder, 13, signal.SIGKILL) == [killed, killed]
    assert step_of_checkpoint() == 12
    assert _in_two(folder, 17, signal.SIGKILL, 0, in_write=True) == [killed, 1]
    assert step_of_checkpoint() == 16
    assert _in_two(folder) == [0, 0]
    expected, again = weights(tmp_path / "whole"), weights(folder)
    assert expected.keys() == again.keys()
    assert all(torch.equal(expected[name], again[name]) for name in expected)
    assert [row["step"] for row in table(folder / "training.csv")] == [4, 8, 12, 16, 20, 24]


def test_the_last_checkpoints_are_kept_and_any_can_be_gone_on_from_or_read(
    whole: Path, tmp_path: Path
) -> None:
    # At every fifth step, which is in the middle of a row of four.
    make_run(tmp_path, checkpoint_steps=5, keep_checkpoints=3).train()
    steps = {
        file.name: checkpoint.read_about(file)["step"] for file in tmp_path.glob("checkpoint*")
    }
    assert steps == {
        "checkpoint.safetensors": 24, "checkpoint-20.safetensors": 20,
        "checkpoint-15.safetensors": 15,
    }  # fmt: skip
    last = read_state(tmp_path / "checkpoint.safetensors")
    expected = weights(whole)
    assert last.keys() == expected.keys()
    assert all(torch.equal(last[name], expected[name]) for name in expected)
    for name in ("checkpoint.safetensors", "checkpoint-20.safetensors", "model.safetensors"):
        (tmp_path / name).unlink()
    again = make_run(tmp_path)
    assert again.resume()
    assert again.step == 15
    again.train()
    assert all(torch.equal(weights(tmp_path)[name], expected[name]) for name in expected)
    assert table(tmp_path / "training.csv") == table(whole / "training.csv")
    assert not list(tmp_path.glob("checkpoint-*")), "one is kept unless more are asked for"


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    run = make_run(tmp_path, best="seen")
    figures = iter([0.1, 0.5, 0.3, 0.5])
    run.task.evaluate = lambda model: {"other": 1.0, "seen": next(figures)}
    run.train(until=8)
    at_best = read_state(tmp_path / "checkpoint.safetensors")
    run.train()
    best = read_state(tmp_path / "best.safetensors")
    assert all(torch.equal(best[name], at_best[name]) for name in at_best)
    about = checkpoint.read_about(tmp_path / "best.safetensors")
    assert (about["step"], about["figure"], about["value"]) == (8, "seen", 0.5)
    with pytest.raises(ValueError, match='best = "recall": is not measured; there are cosine_seen'):
        make_run(tmp_path / "other", best="recall").train()


def test_a_run_alone_uses_its_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(ValueError, match="another run is at work here"):
        make_run(tmp_path).train()
    make_run(tmp_path).train(until=1)


def test_rows_after_the_checkpoint_are_written_anew(whole: Path, tmp_path: Path) -> None:
    """A kill leaves rows of steps that will be taken again, the last perhaps cut short."""
    folder = tmp_path / "killed"
    make_run(folder).train(until=8)
    for name in ("training.csv", "validation.csv"):
        with (folder / name).open("a") as file:
            columns = len((folder / name).read_text().splitlines()[0].split(","))
            file.write(",".join(["12"] + ["0.5"] * (columns - 1)) + "\r\n16,0.5")
    resumed = make_run(folder)
    resumed.resume()
    resumed.train()
    for name in ("training.csv", "validation.csv"):
        assert table(folder / name) == table(whole / name)


def test_a_run_killed_before_its_first_checkpoint_starts_anew(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    make_run(folder).train(until=8)
    (folder / "checkpoint.safetensors").unlink()
    again = make_run(folder)
    assert not again.resume()
    again.train()
    for name in ("training.csv", "validation.csv"):
        assert table(folder / name) == table(whole / name)


def test_stopping_between_evaluations_changes_nothing(whole: Path, tmp_path: Path) -> None:
    make_run(tmp_path / "parts").train(until=5)
    for stop in (13, None):
        part = make_run(tmp_path / "parts")
        assert part.resume()
        part.train(until=stop)
    expected, parts = weights(whole), weights(tmp_path / "parts")
    assert all(torch.equal(expected[name], parts[name]) for name in expected)


@pytest.mark.usefixtures("curves")
def test_training_learns_and_logs(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=120)
    figures = run.train()
    held_out = table(tmp_path / "validation.csv")
    assert [row["step"] for row in held_out] == list(range(0, 121, 8))
    assert held_out[0]["cosine_seen"] < 0.3
    assert figures["cosine_seen"] == held_out[-1]["cosine_seen"] > 0.8
    rows = table(tmp_path / "training.csv")
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert [row["items"] for row in rows] == [8 * row["step"] for row in rows]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    make_run(tmp_path).train(until=2)
    with pytest.raises(ValueError, match=r"optimizer\.learning_rate was 0\.003 and is 0\.01"):
        make_run(tmp_path, learning_rate=1e-2).resume()
    assert not make_run(tmp_path / "empty").resume()


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    make_run(tmp_path).train(until=2)
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors: not a checkpoint"):
        make_run(tmp_path).resume()


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.train(until=4)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with torch.no_grad():
        next(run.task.model.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="the loss is nan before step 8"):
        run.train()
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize(("checkpoint_steps", "message"), [
    (0, "the norm of the gradients is nan before step 8.*model.init = .*checkpoint.safetensors"),
    # In the middle of a row, before its figures are looked at.
    (2, "holds something else than numbers at step 6"),
])  # fmt: skip
def test_weights_that_a_gradient_destroyed_are_not_saved(
    tmp_path: Path, checkpoint_steps: int, message: str
) -> None:
    run = make_run(tmp_path, checkpoint_steps=checkpoint_steps, checkpoint_seconds=0)
    run.train(until=4)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    bad = 5 if checkpoint_steps else 7
    parameter = next(run.task.model.parameters())
    parameter.register_hook(lambda grad: grad * (float("nan") if run.step == bad else 1))
    with pytest.raises(ValueError, match=message):
        run.train()
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_longer_run_goes_on(tmp_path: Path) -> None:
    make_run(tmp_path, steps=8).train()
    longer = make_run(tmp_path, steps=12, log_steps=2, keep_checkpoints=2, tensorboard=False)
    assert longer.resume()
    longer.train()
    assert [row["step"] for row in table(tmp_path / "training.csv")] == [4, 8, 10, 12]
    with pytest.raises(ValueError, match=r"after 12 steps, more than run\.steps = 10"):
        make_run(tmp_path, steps=10).resume()


def test_rate_warms_up_and_falls() -> None:
    schedule = ScheduleSettings(warmup=4, final_rate=3e-5)
    rates = [rate(step, 24, 3e-3, schedule) for step in range(25)]
    assert rates[:4] == pytest.approx([3e-3 * (step + 1) / 4 for step in range(4)])
    assert all(after < before for before, after in pairwise(rates[4:]))
    assert rates[4] == pytest.approx(3e-3)
    assert rates[14] == pytest.approx((3e-3 + 3e-5) / 2)
    assert rates[24] == pytest.approx(3e-5)


def test_other_schedules_stay_at_the_peak() -> None:
    constant = ScheduleSettings(warmup=4, kind="constant")
    assert [rate(step, 24, 3e-3, constant) for step in (0, 3, 4, 23)] == [
        7.5e-4, 3e-3, 3e-3, 3e-3,
    ]  # fmt: skip
    wsd = ScheduleSettings(warmup=4, kind="wsd", decay=8, final_rate=1e-3)
    rates = [rate(step, 24, 3e-3, wsd) for step in range(25)]
    assert rates[4:17] == pytest.approx([3e-3] * 13)
    assert rates[18] == pytest.approx(1e-3 + 2e-3 * (1 - 0.5))
    assert rates[24] == pytest.approx(1e-3)
    assert all(after < before for before, after in pairwise(rates[16:]))
    # More steps change nothing before the decay.
    assert [rate(step, 99, 3e-3, wsd) for step in range(17)] == pytest.approx(rates[:17])
    for wrong in ({"kind": "wsd"}, {"decay": 3}):
        with pytest.raises(ValueError, match="decay: must be at least 1 with kind"):
            ScheduleSettings(**wrong)


def test_figures_go_to_other_loggers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    # What is called of wandb, which would ask a server for a key.
    there = SimpleNamespace(
        log=lambda values, step: sent.append((step, values)), finish=lambda: sent.append("end")
    )
    begun: list[dict[str, Any]] = []
    module = SimpleNamespace(init=lambda **named: begun.append(named) or there)
    monkeypatch.setitem(sys.modules, "wandb", module)
    make_run(tmp_path / "run", wandb="mine").train(until=8)
    assert begun[0]["project"] == "mine"
    assert begun[0]["config"]["run"]["steps"] == 24
    assert [each[0] for each in sent[:-1]] == [0, 4, 8, 8]
    assert sent[0][1].keys() == {"validation/cosine_seen"}
    assert "training/loss" in sent[1][1]
    assert sent[-1] == "end"
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ValueError, match=r"run\.wandb: wandb is not installed"):
        make_run(tmp_path / "other", wandb="mine").train()


def test_norms_biases_and_scales_do_not_decay(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    names = {parameter: name for name, parameter in run.task.model.named_parameters()}
    decaying = {
        names[parameter]: group["weight_decay"] > 0
        for group in run.learner.optimizer.param_groups
        for parameter in group["params"]
    }
    assert decaying.keys() == set(names.values())
    kept = {name for name, decays in decaying.items() if not decays}
    assert {name for name in decaying if name.endswith(("bias", "layer_scale"))} < kept
    assert {name for name in decaying if ".bn." in name or "norm" in name} < kept
    assert {"blocks.1.qkv.weight", "blocks.0.token_mixer.mixer.conv.weight"}.isdisjoint(kept)
    assert {"token_embedding.weight", "text_projection"}.isdisjoint(kept)


def test_early_evaluations_are_a_root_of_two_apart() -> None:
    run = RunSettings(steps=100, batch=2, evaluate_steps=1000, evaluate_early=True)
    after = [step for step in range(1, 101) if run.evaluates_after(step)]
    assert after == [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 100]
    plain = replace(run, evaluate_early=False)
    assert [step for step in range(1, 101) if plain.evaluates_after(step)] == [100]
