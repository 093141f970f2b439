"""bfloat16 where it is faster, by a clock that the test winds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_training_loop import make_run

from trainer import precision
from trainer.train import checkpoint, learner
from trainer.train import precision as trial
from trainer.train.processes import ALONE

CPU = torch.device("cpu")


@pytest.mark.parametrize(("seconds", "expected"), [
    ({False: 3.0, True: 1.0}, ("bfloat16", 3.0)),
    ({False: 1.0, True: 12.0}, ("float32", 12.0)),
])  # fmt: skip
def test_the_faster_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[bool, float], expected: tuple[str, float]
) -> None:
    now = 0.0

    def work() -> None:
        nonlocal now
        now += seconds[torch.is_autocast_enabled("cpu")]

    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: now)
    assert precision.fastest(work, CPU) == pytest.approx(expected)


def test_what_cannot_be_done_in_bfloat16_is_done_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work() -> None:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("not implemented for 'BFloat16'")

    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    assert precision.fastest(work, CPU) == ("float32", None)
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    assert precision.fastest(lambda: 1 / 0, CPU) == ("float32", None), "is not even tried"


def test_a_run_measures_once_and_changes_nothing_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (precision, trial):
        monkeypatch.setattr(module, "has_bfloat16", lambda device: True)
    run = make_run(tmp_path, steps=4, precision="auto")
    before = {name: value.clone() for name, value in run.task.model.state_dict().items()}
    kind, gain = trial.measured(run.task, run.learner.network, 8, ALONE)
    assert kind in ("float32", "bfloat16")
    # One that cannot be shared out is tried as it is.
    assert trial.measured(run.task, run.learner.network, 17, ALONE)[1] is not None
    assert gain is not None
    assert gain >= 1
    after = run.task.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in run.task.model.parameters())

    monkeypatch.setattr(learner, "measured", lambda *_: ("bfloat16", 2.0))
    run.train(until=2)
    assert "precision: bfloat16, 2 times as fast" in capsys.readouterr().out
    monkeypatch.setattr(learner, "measured", lambda *_: pytest.fail("was measured when it began"))
    again = make_run(tmp_path, steps=4, precision="auto")
    assert again.resume()
    again.train()
    about = checkpoint.read_about(tmp_path / "checkpoint.safetensors")
    assert (about["step"], about["precision"]) == (4, "bfloat16")
    with pytest.raises(ValueError, match=r"run\.precision was 'auto' and is 'float32'"):
        make_run(tmp_path, steps=4).resume()
