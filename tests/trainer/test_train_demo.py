"""`make train-demo`: its pictures, its recipe and its card are sound, and its commands exist.

What it takes minutes for, each command tests for itself.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import click
import pytest
from shell import REPOSITORY

from trainer.cli import main
from trainer.data.inspection import look_at
from trainer.data.photo_tars import read_photos
from trainer.export.card import read_card, render_card
from trainer.reinforce.sources import open_sources
from trainer.train.recipe import load_recipe

DEMO = REPOSITORY / "examples" / "train_demo"


def test_every_step_is_a_command_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = runpy.run_path(str(DEMO / "__main__.py"), run_name="train_demo")
    steps: list[list[str]] = []
    names = there["main"].__globals__
    monkeypatch.setitem(names, "run", lambda step, *told: steps.append([str(one) for one in told]))
    monkeypatch.setitem(names, "ask", lambda bundle, out: (1, 2))
    arguments = ["--out", str(tmp_path), "--pictures", "4", "--crops", "2"]
    assert there["main"]([*arguments, "--set", "run.steps=3"]) == 0
    assert [step[0] for step in steps] == ["reinforce", "train", "export"]
    # What the steps before would have made.
    (tmp_path / "run").mkdir()
    for name, *given in steps:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        command.make_context(name, list(given))
    found = look_at(open_sources([tmp_path / "gallery"], tmp_path / "captions.csv", 10))
    assert (found.photos, found.captions, found.unreadable) == (8, 8, [])
    held = list(read_photos(tmp_path / "held-out.tar"))
    assert len(held) == 4
    assert all(one.meta["captions"] for one in held)
    sets = [one for before, one in zip(steps[1], steps[1][1:], strict=False) if before == "--set"]
    recipe = load_recipe(DEMO / "recipe.toml", sets)
    assert (recipe.run.steps, recipe.run.batch) == (3, 32)
    assert json.dumps(str(tmp_path / "held-out.tar")) in sets[1]
    known = {"details": {"Architecture": "A"}, "training": ["So."]}
    assert "twenty pictures" in render_card(read_card(DEMO / "card.toml", known=known).fields)
    assert "1 of 2 queries" in capsys.readouterr().out
