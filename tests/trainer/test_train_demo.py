"""`make train-demo`: its pictures, its recipe and its card are sound, and its commands exist.

What it takes minutes for, each command tests for itself.
"""

from __future__ import annotations

import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from optional import needs_fork
from shell import REPOSITORY

from photosearch.cli import main as photosearch
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
    told = capsys.readouterr().out
    assert "1 of 2 queries" in told
    # The command that it ends with is one, though no library is there yet.
    program, *words = shlex.split(told.splitlines()[-1])
    assert program == "photosearch"
    answer = CliRunner().invoke(photosearch, words)
    assert (answer.exit_code, "Nothing is indexed yet" in answer.output) == (1, True)


@needs_fork
@pytest.mark.slow
def test_ctrl_c_waits_until_a_step_has_kept_what_it_did(tmp_path: Path) -> None:
    """A step that takes a second to end, as training does that writes a checkpoint."""
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").touch()
    (tmp_path / "trainer" / "__main__.py").write_text(
        "import pathlib, time\n"
        "try:\n"
        "    pathlib.Path('begun').touch()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(1)\n"
        "    pathlib.Path('kept').touch()\n"
    )
    demo = subprocess.Popen(
        [sys.executable, DEMO, "--pictures", "2", "--crops", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not (tmp_path / "begun").exists():
            assert demo.poll() is None, demo.communicate()
            time.sleep(0.05)
        # As a terminal does it: to the demo and to the step.
        os.killpg(demo.pid, signal.SIGINT)
        out, told = demo.communicate(timeout=300)
    finally:
        demo.kill()
    assert (tmp_path / "kept").exists()
    assert (demo.returncode, told) == (
        130,
        "\nStopped. Start it again, and it goes on from here.\n",
    )
    # What is printed can be copied into a shell.
    (line,) = [line for line in out.splitlines() if line.startswith("    photosearch-trainer")]
    assert shlex.split(line)[1:3] == ["reinforce", "build/train-demo/gallery"]
