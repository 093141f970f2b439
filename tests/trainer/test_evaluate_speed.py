"""Timing, by a clock that the test turns: what is timed, how often, and how it is reported.

No test looks at how long anything really takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fastjsonschema
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from manifest import bundle_fields
from small_model import NAME, known_model, write_model

import trainer.evaluate
from photosearch.encoders import Bundle, open_encoder
from trainer.cli import main
from trainer.evaluate.speed import Towers, machine, measure_speed, onnx_towers, torch_towers
from trainer.export import export_bundle
from trainer.models.config import image_facts, load_config
from trainer.models.family import build

pytestmark = pytest.mark.slow


class Clock:
    """Seconds that pass only while a tower runs, as many as its script says."""

    def __init__(self, seconds: dict[tuple[str, int], list[float]]) -> None:
        self.now = 0.0
        self.calls: dict[tuple[str, int], int] = {}
        self._seconds = seconds

    def __call__(self) -> float:
        return self.now

    def run(self, tower: str, count: int) -> np.ndarray:
        key = tower, count
        call = self.calls.get(key, 0)
        self.calls[key] = call + 1
        self.now += self._seconds[key][call]
        return np.zeros((count, 4), np.float32)


def test_the_median_of_repeats_after_a_warm_up():
    slow_start = [9.0, 9.0, 9.0]
    clock = Clock(
        {
            ("image", 1): [*slow_start, 0.010, 0.030, 0.020, 0.050, 0.040],
            ("image", 32): [*slow_start, 0.32, 0.32, 0.64, 0.32, 0.32],
            ("text", 1): [*slow_start, *[0.002] * 5],
            ("text", 32): [*slow_start, *[0.064] * 5],
        }
    )
    towers = Towers(
        "Clockwork 1",
        8,
        lambda pixels: clock.run("image", len(pixels)),
        lambda texts: clock.run("text", len(texts)),
    )
    timings = {
        (timing.tower, timing.batch): timing
        for timing in measure_speed(towers, repeats=5, clock=clock)
    }
    assert set(clock.calls.values()) == {8}
    assert timings["image", 1].ms == pytest.approx(30)
    assert timings["image", 1].quartiles == pytest.approx((20, 40))
    assert timings["image", 32].ms == pytest.approx(10)  # of one photo
    assert timings["text", 1].ms == pytest.approx(2)
    assert timings["text", 32].ms == pytest.approx(2)
    assert {timing.runtime for timing in timings.values()} == {"Clockwork 1"}
    assert timings["text", 1].repeats == 5


def test_texts_are_such_as_people_type():
    seen = []
    towers = Towers("", 8, lambda pixels: pixels, lambda texts: seen.extend(texts))
    measure_speed(towers, repeats=2)
    assert all(0 < len(text) < 80 for text in seen)


def test_the_machine_is_named():
    found = machine()
    assert set(found) == {"processor", "cores", "system"}
    assert all(found.values())


def test_onnx_towers_are_the_bundle_s(tiny_bundle):
    bundle = Bundle.open(tiny_bundle)
    towers = onnx_towers(bundle, 1)
    pixels = np.full((3, towers.size, towers.size, 3), 77, np.uint8)
    encoder = open_encoder(tiny_bundle)
    np.testing.assert_allclose(towers.images(pixels), encoder.encode_pixels(pixels), atol=1e-6)
    texts = ["a dog", "snow"]
    np.testing.assert_allclose(towers.texts(texts), encoder.encode_texts(texts), atol=1e-6)
    assert towers.runtime.startswith("ONNX Runtime 1.")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def validated(file: Path) -> dict:
    report = json.loads(file.read_text())
    schema = Path(trainer.evaluate.__file__).with_name("report.schema.json")
    fastjsonschema.validate(json.loads(schema.read_text()), report)
    return report


def test_command(tiny_bundle, tmp_path):
    output = tmp_path / "speed.json"
    arguments = ("--speed", "--threads", 1, "--repeats", 2, "--json", output)
    result = run(tiny_bundle, *arguments)
    assert result.exit_code == 0, result.output
    speed = validated(output)["speed"]
    assert speed["threads"] == 1
    assert speed["machine"] == machine()
    assert [(each["tower"], each["batch"]) for each in speed["timings"]] == [
        ("image", 1),
        ("text", 1),
        ("image", 32),
        ("text", 32),
    ]
    assert all(each["ms_per_item"] > 0 and each["repeats"] == 2 for each in speed["timings"])
    assert machine()["processor"] in result.stdout
    assert "1 thread, " in result.stdout
    assert "| text | ONNX Runtime" in result.stdout


TORCH = ("--speed", "--model", NAME, "--torch")


class TestTorch:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory) -> Iterator[Path]:
        """Of a small model: its weights, and a bundle of them."""
        folder = tmp_path_factory.mktemp("small")
        model = write_model(folder).eval()
        with known_model(folder):
            config = load_config(NAME)
            fields = bundle_fields(
                size=config.image.size,
                context=config.text.context_length,
                dim=config.dim,
                image=image_facts(config.image),
                architecture=NAME,
            )
            out = folder / "bundle"
            export_bundle(model.visual, model.text, out, fields=fields, card="# Random\n")
            yield folder

    @pytest.fixture
    def bundle(self, folder) -> Path:
        return folder / "bundle"

    @pytest.fixture
    def weights(self, folder) -> tuple[Path, Path]:
        return folder / "image.pt", folder / "text.pt"

    def test_towers_are_those_of_the_weights(self, bundle, weights):
        opened = Bundle.open(bundle)
        towers, shipped = torch_towers(opened, NAME, *weights), onnx_towers(opened, 1)
        pixels = np.random.default_rng(0).integers(0, 256, (2, towers.size, towers.size, 3))
        pixels = pixels.astype(np.uint8)
        np.testing.assert_allclose(towers.images(pixels), shipped.images(pixels), atol=1e-4)
        texts = ["a dog on a beach", ""]
        np.testing.assert_allclose(towers.texts(texts), shipped.texts(texts), atol=1e-4)

    def test_command_and_threads(self, bundle, weights, tmp_path, monkeypatch):
        monkeypatch.setattr("trainer.evaluate.speed.BATCHES", (1, 2))
        output = tmp_path / "speed.json"
        before = torch.get_num_threads()
        result = run(bundle, *TORCH, *weights, "--threads", 2, "--repeats", 2, "--json", output)
        assert result.exit_code == 0, result.output
        assert torch.get_num_threads() == before
        runtimes = [each["runtime"].split()[0] for each in validated(output)["speed"]["timings"]]
        assert runtimes == ["ONNX"] * 4 + ["PyTorch"] * 4

    def test_weights_of_another_model(self, bundle, weights, tmp_path):
        other = tmp_path / "other.pt"
        torch.save(build(NAME).text.state_dict(), other)
        result = run(bundle, *TORCH, weights[0], other, "--repeats", 2)
        assert result.exit_code == 1
        assert f"{other}: not the weights that the bundle was exported from" in result.stderr
        swapped = run(bundle, *TORCH, *weights[::-1], "--repeats", 2)
        assert swapped.exit_code == 1
        assert f"{weights[1]}: not weights of {NAME}" in swapped.stderr

    def test_goes_with_speed(self, tiny_bundle, weights):
        result = run(tiny_bundle, "--torch", *weights)
        assert result.exit_code == 2
