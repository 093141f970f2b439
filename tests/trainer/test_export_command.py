"""`photosearch-trainer export`: weights of two runs and the text of a card become a bundle."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from optional import module
from PIL import Image
from safetensors.torch import save_file
from small_model import NAME, known_model, write_model
from tars import sample, write_tar

from photosearch.encoders import Bundle
from trainer.cli import main
from trainer.evaluate.figure import Figure
from trainer.evaluate.measures import Measure
from trainer.models.config import load_config
from trainer.models.state import read_state, write_state

pytestmark = pytest.mark.slow

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
    model = write_model(folder)
    with torch.no_grad():
        model.logit_scale.fill_(np.log(40))
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "card.toml").write_text(CARD)
    return folder


@pytest.fixture(autouse=True)
def small_model(workshop) -> Iterator[None]:
    with known_model(workshop):
        yield


def run(folder: Path, out: Path, *more: object) -> Result:
    arguments = ["--model", NAME, "--image", folder / "image.pt"]
    arguments += ["--text", folder / "text.pt", "--card", folder / "card.toml", "--out", out]
    return CliRunner().invoke(main, ["export", *map(str, [*arguments, *more])])


def run_whole(folder: Path, out: Path, *more: object) -> Result:
    arguments = ["--model", NAME, "--weights", folder / "model.safetensors"]
    arguments += ["--card", folder / "card.toml", "--out", out]
    return CliRunner().invoke(main, ["export", *map(str, [*arguments, *more])])


def photo_tar(path: Path, photos: int) -> Path:
    """Photos of noise with two captions each."""
    rng = np.random.default_rng(0)
    members = []
    for number in range(photos):
        noise = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
        captions = [f"photo {number}", f"the photo {number}"]
        members += sample(f"{number:03}", noise, {"captions": captions})
    return write_tar(path, members)


@pytest.fixture(scope="module")
def exported(workshop, tmp_path_factory) -> Path:
    """A bundle of the two towers' files, only to be looked at."""
    out = tmp_path_factory.mktemp("exported") / "bundle"
    with known_model(workshop):
        result = run(workshop, out)
    assert result.exit_code == 0, result.output
    assert Bundle.open(out).id in result.stdout
    return out


def test_one_file_for_both_towers_gives_the_same_networks(workshop, exported, tmp_path):
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace("logit_scale = 30.0", ""))
    whole = run_whole(workshop, tmp_path / "one", "--card", card)
    assert whole.exit_code == 0, whole.output
    one, two = Bundle.open(tmp_path / "one"), Bundle.open(exported)
    assert one.id == two.id
    # The card's word comes first; without it, what was learned.
    assert two.manifest["logit_scale"] == 30
    assert one.manifest["logit_scale"] == pytest.approx(40)


def test_what_a_sigmoid_has_learned_says_when_nothing_fits(workshop, exported, tmp_path):
    state = read_state(workshop / "model.safetensors")
    weights = tmp_path / "sigmoid.safetensors"
    write_state(state | {"logit_bias": torch.tensor(-9.5)}, weights)
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace("logit_scale = 30.0", ""))
    result = run_whole(workshop, tmp_path / "out", "--weights", weights, "--card", card)
    assert result.exit_code == 0, result.output
    bundle = Bundle.open(tmp_path / "out")
    said = bundle.manifest["calibration"]
    assert said == {
        "kind": "sigmoid", "scale": pytest.approx(40), "bias": -9.5, "least": 0.001,
    }  # fmt: skip
    assert bundle.calibration.offset == -9.5


def test_every_check_on_request(workshop, tmp_path):
    """The weights are random, so retrieval stands at chance; its own test has others."""
    module("coremltools")
    out = tmp_path / "bundle"
    gate = photo_tar(tmp_path / "val.tar", 101)
    result = run_whole(workshop, out, "--gate", gate, "--int8-text", "--coreml")
    assert result.exit_code == 0, result.output
    found = Bundle.open(out).manifest["export"]
    assert found["retrieval"]["gallery"] == 101
    assert found["retrieval"]["queries"] == 202
    assert set(found["retrieval"]) >= {"pytorch", "float32", "int8"}
    assert "R@10 of 202 captions among 101 photos (chance 9.9%)" in result.stdout
    assert "int8 text tower: " in result.stdout
    assert (out / "image.mlpackage").is_dir()
    assert (out / "text.mlpackage").is_dir()
    if sys.platform != "darwin":
        assert "Not compared with PyTorch: Core ML runs only on macOS" in result.stdout


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "either --weights, or both --image and --text"),
        (["--image", "image.pt"], "either --weights, or both --image and --text"),
        (["--weights", "model.safetensors", "--text", "text.pt"], "either --weights, or both"),
        (["--weights", "model.safetensors", "--int8-text"], "--int8-text needs --gate"),
    ],
)
def test_options_that_do_not_go_together(workshop, tmp_path, monkeypatch, weights, message):
    monkeypatch.chdir(workshop)
    arguments = ["export", "--card", "card.toml", "--out", str(tmp_path / "bundle"), *weights]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_weights_of_something_else_are_named(workshop, tmp_path):
    swapped = run(workshop, tmp_path / "bundle", "--image", workshop / "text.pt")
    assert swapped.exit_code == 1
    assert "text.pt: not the weights of this tower" in swapped.stderr
    assert "\n" not in swapped.stderr.strip()
    half = run_whole(workshop, tmp_path / "bundle", "--weights", workshop / "text.pt")
    assert half.exit_code == 1
    assert "text.pt: " in half.stderr
    assert not (tmp_path / "bundle").exists()


def test_without_a_logit_scale(workshop, tmp_path):
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace("logit_scale = 30.0", ""))
    result = run(workshop, tmp_path / "bundle", "--card", card)
    assert result.exit_code == 1
    assert "card.toml: says nothing under 'logit_scale'" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("data = [", "dates = [", "says nothing under 'data'"),
        ('use = "none"', 'usage = "none"', "usage"),
        ("summary = ", "summary : ", "line 4"),
        ("logit_scale = 30.0", 'logit_scale = "many"', "many"),
    ],
)
def test_a_card_that_cannot_be_read(workshop, tmp_path, old, new, message):
    card = tmp_path / "card.toml"
    card.write_text(CARD.replace(old, new))
    result = run(workshop, tmp_path / "bundle", "--card", card)
    assert result.exit_code == 1
    assert "card.toml: " in result.stderr
    assert message in result.stderr


def test_export_then_measure_then_export_again(workshop, exported, tmp_path):
    out = shutil.copytree(exported, tmp_path / "bundle")
    bundle = Bundle.open(out)
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

    image = load_config(NAME).image
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


class TestAnnotate:
    def annotate(self, bundle, *arguments):
        return CliRunner().invoke(main, ["annotate", str(bundle), *map(str, arguments)])

    @pytest.fixture
    def figures(self, colours, tmp_path):
        figure = Measure("x.tar", "text to photo", Figure("R@1", 0.25, 0.125, 0.5, 0.125), 40, 8)
        path = tmp_path / "figures.json"
        measured = {"bundle": Bundle.open(colours).id, "metrics": [figure.record()]}
        path.write_text(json.dumps(measured))
        return path

    def test_figures_and_card_take_the_place_of_those_there(self, colours, figures, tmp_path):
        bundle = tmp_path / "bundle"
        shutil.copytree(colours, bundle)
        before = Bundle.open(bundle)
        card = tmp_path / "card.toml"
        card.write_text(CARD)
        result = self.annotate(bundle, "--metrics", figures, "--card", card)
        assert result.exit_code == 0, result.output
        after = Bundle.open(bundle)
        assert after.id == before.id
        assert [one["value"] for one in after.manifest["metrics"]] == [0.25]
        assert after.manifest["calibration"] == before.manifest["calibration"]
        text = (bundle / "README.md").read_text(encoding="utf-8")
        squeezed = " ".join(text.split())
        assert "| text to photo | R@1 | 25.0% | 12.5% to 50.0% | 12.5% | 8 | 40 |" in squeezed

    def test_nothing_or_figures_of_another_are_refused(self, colours, figures, tmp_path):
        bundle = tmp_path / "bundle"
        shutil.copytree(colours, bundle)
        assert self.annotate(bundle).exit_code == 2
        said = json.loads(figures.read_text())
        figures.write_text(json.dumps(said | {"bundle": "other-1-0123456789ab"}))
        result = self.annotate(bundle, "--metrics", figures)
        assert result.exit_code == 1
        assert "of other-1-0123456789ab" in result.output
        assert Bundle.open(bundle).manifest["metrics"] == []
