"""`photosearch-trainer export`: weights of two runs and the text of a card become a bundle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from photosearch.encoders import Bundle
from trainer.cli import main
from trainer.models import config as configs
from trainer.models.family import build

CARD = """
name = "nano-small"
version = "7"
summary = "A small one."
logit_scale = 30.0
licence = "Apache-2.0"
intended_use = ["Tests."]
not_for = ["Anything else."]
training = ["Random weights."]
weaknesses = ["Knows nothing."]
details = { Embedding = "24 numbers" }
data = [{ name = "Nothing", amount = "0 photos", use = "none", licence = "none" }]
teachers = [{ name = "Nobody", role = "none", licence = "none" }]
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """A folder with the weights of two towers, a card's text, and figures for it."""
    folder = tmp_path_factory.mktemp("workshop")
    nano = configs.load_config("MobileCLIP-Nano")
    small = {
        "source": nano.source,
        "dim": 24,
        "image": dataclasses.asdict(nano.image) | {"size": 32, "hidden": 16},
        "text": dataclasses.asdict(nano.text) | {"width": 16, "heads": 2, "layers": 1},
    }
    (folder / "configs").mkdir()
    (folder / "configs" / "Nano-Small.json").write_text(json.dumps(small))
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configs, "_FOLDER", folder / "configs")
        model = build("Nano-Small")
    torch.save(model.visual.state_dict(), folder / "image.pt")
    torch.save(model.text.state_dict(), folder / "text.pt")
    (folder / "card.toml").write_text(CARD)
    return folder


@pytest.fixture(autouse=True)
def small_model(workshop, monkeypatch):
    monkeypatch.setattr(configs, "_FOLDER", workshop / "configs")


def run(folder: Path, out: Path, *more: object) -> Result:
    arguments = ["--model", "Nano-Small", "--image", folder / "image.pt"]
    arguments += ["--text", folder / "text.pt", "--card", folder / "card.toml", "--out", out]
    return CliRunner().invoke(main, ["export", *map(str, [*arguments, *more])])


def test_export_then_measure_then_export_again(workshop, tmp_path):
    out = tmp_path / "bundle"
    first = run(workshop, out)
    assert first.exit_code == 0, first.output
    bundle = Bundle.open(out)
    assert bundle.id in first.stdout
    assert (bundle.name, bundle.version, bundle.dim) == ("nano-small", "7", 24)
    assert bundle.image == configs_image()
    assert "Not measured" in (out / "README.md").read_text()

    record = {
        "data": "t.tar",
        "task": "text to photo",
        "metric": "R@1",
        "value": 0.25,
        "interval_95": [0.125, 0.5],
        "chance": 0.125,
        "gallery": 8,
        "queries": 40,
    }
    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps({"bundle": bundle.id, "data": [], "metrics": [record]}))
    again = run(workshop, out, "--metrics", figures, "--replace")
    assert again.exit_code == 0, again.output
    measured = Bundle.open(out)
    assert measured.id == bundle.id
    assert measured.manifest["metrics"] == [record]
    card = " ".join((out / "README.md").read_text().split())
    assert "| text to photo | R@1 | 25.0% | 12.5% to 50.0% | 12.5% | 8 | 40 |" in card


def configs_image():
    from photosearch.encoders import ImageSettings

    image = configs.load_config("Nano-Small").image
    return ImageSettings(
        image.size, image.resize, image.crop, image.interpolation, image.mean, image.std
    )


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("[]", "not written by `evaluate --json`"),
        ('{"bundle": "x"}', "not written by `evaluate --json`"),
        ('{"bundle": "x", "metrics": [{"metric": "R@1"}]}', "not a metric's record"),
    ],
)
def test_figures_of_something_else(workshop, tmp_path, report, message):
    (tmp_path / "figures.json").write_text(report)
    result = run(workshop, tmp_path / "bundle", "--metrics", tmp_path / "figures.json")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "bundle").exists()


def test_figures_of_two_bundles(workshop, tmp_path):
    files = []
    for name in "ab":
        files += ["--metrics", tmp_path / f"{name}.json"]
        files[-1].write_text(json.dumps({"bundle": name, "metrics": []}))
    result = run(workshop, tmp_path / "bundle", *files)
    assert result.exit_code == 1
    assert "of different bundles, a and b" in result.stderr


def test_a_card_that_leaves_something_out(workshop, tmp_path):
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace('weaknesses = ["Knows nothing."]', ""))
    result = run(workshop, tmp_path / "bundle", "--card", card)
    assert result.exit_code == 1
    assert "card.toml" in result.stderr
    assert "weaknesses" in result.stderr
