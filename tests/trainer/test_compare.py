"""What a run did is written down, and two runs are held against each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_training_loop import make_run, table

from trainer.cli import main
from trainer.export.run_card import told_by
from trainer.train.record import code_state, read_record, versions

pytestmark = pytest.mark.slow


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run that was gone on with, and one at another rate that was stopped earlier."""
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", steps=16).train(until=8)
    again = make_run(folder / "first", steps=16)
    again.resume()
    again.train()
    make_run(folder / "second", steps=16, learning_rate=1e-2).train(until=8)
    return folder / "first", folder / "second"


def test_a_run_is_written_down(runs: tuple[Path, Path]) -> None:
    first, second = map(read_record, runs)
    assert [session["from_step"] for session in first["sessions"]] == [0, 8]
    last = first["sessions"][-1]
    assert last["versions"] == versions()
    assert {"python", "torch", "photosearch"} <= last["versions"].keys()
    assert last["code"] == code_state()
    assert (last["precision"], last["processes"]) == ("float32", 1)
    assert last["began"] <= last["ended"]
    assert (first["step"], first["finished"]) == (16, True)
    assert (second["step"], second["finished"]) == (8, False)
    assert first["settings"]["optimizer"]["learning_rate"] == 3e-3
    assert first["best"]["figure"] == "cosine_seen"
    value = pytest.approx(first["best"]["value"], rel=1e-5)
    assert first["figures"] == {"step": 16, "cosine_seen": value}
    curves = json.loads((runs[0] / "curves.json").read_text())
    assert [row["step"] for row in curves["validation"]] == [0, 8, 16]
    rows = table(runs[0] / "training.csv")
    assert [row["loss"] for row in curves["training"]] == [row["loss"] for row in rows]


def test_two_runs_are_compared(runs: tuple[Path, Path], tmp_path: Path) -> None:
    result = compare(*runs, "--plot", tmp_path / "both.png")
    assert result.exit_code == 0, result.output
    (rate,) = [line for line in result.output.splitlines() if "learning_rate" in line]
    assert rate.split() == ["optimizer.learning_rate", "0.003", "0.01", "+0.007"]
    assert "versions, code and machine that differ" not in result.output
    assert "held-out figures after step 8" in result.output
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(compare(*runs, "--json").output)
    assert found["settings"].keys() == {"optimizer.learning_rate", "schedule.final_rate"}
    assert found["results"]["step"] == [16, 8]
    assert found["at"][0] == 8
    same = compare(runs[0], runs[0])
    assert "settings that differ" not in same.output
    missing = compare(runs[0], tmp_path)
    assert missing.exit_code == 1
    assert "run.json: not the record of a run" in missing.output


def test_a_card_says_what_the_record_says(runs: tuple[Path, Path]) -> None:
    record = read_record(runs[0])
    with pytest.raises(ValueError, match="no settings under 'model', as `train` writes them"):
        told_by(record)
    record["settings"] |= {
        "model": {"name": "MobileCLIP-Nano", "image_init": "a.tflite"},
        "data": {"train": ["shards/*.tar"]},
        "loss": {"lambda": 0.75, "captions": ["real"]},
        "shards": {"sha256": "0123456789abcdef0123"},
    }
    told = told_by(record)
    assert told["details"] == {"Architecture": "MobileCLIP-Nano", "Photos seen": "128"}
    text = " ".join(told["training"])
    assert "16 steps of 8 photos (128 seen) at a rate of 0.003, in float32, from a.tflite" in text
    assert "shards/*.tar (sha256 0123456789abcdef)" in text
    assert f"torch {versions()['torch']}" in text
    assert "cosine seen 0." in text
