"""Learning on from the bundled model, and from weights, to a bundle that searches."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.torch import save_file
from small_model import NAME, known_model, write_model

import photosearch
from photosearch.encoders import Bundle, bundled_path, open_encoder
from trainer.cli import main
from trainer.finetune.run import Tuned
from trainer.finetune.start import from_bundle, trainable_state
from trainer.models.config import load_config
from trainer.models.graph_tower import _OPERATIONS, GraphTower, sentence_state
from trainer.models.sentence_tower import SentenceTower
from trainer.models.state import read_state
from trainer.models.tokens import tokenizer_of

pytestmark = pytest.mark.slow

COLOURS = {"red": (220, 30, 40), "green": (30, 200, 60), "blue": (40, 60, 220), "grey": (128,) * 3}
ONLY_CPU = ["CPUExecutionProvider"]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures of four colours, with what they show in captions.csv; one has no caption."""
    folder = tmp_path_factory.mktemp("captioned")
    random = np.random.default_rng(0)
    rows = ["file,caption"]
    for number in range(25):
        name, rgb = list(COLOURS.items())[number % 4]
        pixels = np.clip(random.normal(rgb, 20, (48, 64, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{f'a {name} wall' if number < 24 else ''}")
    (folder / "captions.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def tower() -> GraphTower:
    return GraphTower(bundled_path() / "image.onnx")


def pixels_of(count: int) -> np.ndarray:
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (count, 8, 8, 3), np.uint8)
    squares = [np.asarray(Image.fromarray(one).resize((256, 256))) for one in small]
    return open_encoder(bundled_path()).preprocess.normalise(np.stack(squares))


def test_each_node_computes_what_onnx_runtime_computes(tower: GraphTower) -> None:
    """Given what ONNX Runtime gave the nodes before: roundings to 8 bits add up otherwise."""
    model = onnx.load(bundled_path() / "image.onnx")
    outputs = [node.output for node in tower._nodes]
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in outputs if name != "embedding"
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=ONLY_CPU)
    pixels = pixels_of(1)
    theirs: dict[str, Any] = dict(
        zip(outputs, session.run(outputs, {"image": pixels}), strict=True)
    ) | {"image": pixels}
    for name, place in tower._places.items():
        value: Any = tower
        for part in place.split("."):
            value = getattr(value, part)
        theirs[name] = value.detach().numpy()
    seen = 0
    for node in tower._nodes:
        given = [torch.from_numpy(np.asarray(theirs[name])) for name in node.inputs]
        if node.kind == "DequantizeLinear":
            given[0] = given[0].to(given[2].dtype)
        ours = _OPERATIONS[node.kind](given, node.attributes).detach().numpy()
        expected = theirs[node.output]
        if node.kind == "QuantizeLinear":
            # What lies in the middle may be rounded either way.
            apart = np.abs(ours - expected.astype(np.float32))
            assert apart.max() <= 1
            assert (apart > 0).mean() < 1e-4
        else:
            size = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * size)
        seen += 1
    assert seen == len(tower._nodes) > 300
    # All of it together is as near to ONNX Runtime as that is to itself.
    (fused,) = open_session(bundled_path() / "image.onnx").run(None, {"image": pixels})
    with torch.no_grad():
        ours = tower(torch.from_numpy(pixels)).numpy()
    assert (fused * ours).sum(1).min() > 0.9995


def open_session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=ONLY_CPU)


def test_the_text_tower_has_the_weights_of_the_bundle() -> None:
    path = bundled_path() / "text.onnx"
    text = SentenceTower()
    text.load_state_dict(sentence_state(path))
    model = onnx.load(path)
    for node in model.graph.node:
        for attribute in node.attribute:
            # The same weights, without rounding to 8 bits what they are multiplied by.
            if attribute.name == "accuracy_level":
                attribute.i = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=ONLY_CPU)
    ids = tokenizer_of(load_config("MobileCLIP-Small").text)(["a dog", "two boats on a quiet lake"])
    (expected,) = session.run(None, {"tokens": ids})
    with torch.no_grad():
        found = text(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_what_is_learned_is_written_into_the_graph(tower: GraphTower, tmp_path: Path) -> None:
    source, target = bundled_path() / "image.onnx", tmp_path / "image.onnx"

    def stored(path: Path) -> dict[str, bytes]:
        initializers = onnx.load(path).graph.initializer
        return {one.name: one.SerializeToString() for one in initializers}

    tower.write(source, target)
    first = stored(source)
    assert stored(target) == first
    assert not any(
        value.requires_grad for name, value in tower.named_parameters() if "conv" in name
    )
    bias = tower.get_parameter("head.layers.4.bias")
    before = bias.detach().clone()
    with torch.no_grad():
        bias += 0.5
    tower.write(source, target)
    with torch.no_grad():
        bias.copy_(before)
    changed = {name for name, data in stored(target).items() if data != first[name]}
    assert changed == {"head.layers.4.bias"}
    (one,) = open_session(target).run(None, {"image": pixels_of(1)})
    (other,) = open_session(source).run(None, {"image": pixels_of(1)})
    assert np.abs(one - other).max() > 0.01


def test_the_bundled_model_learns_on(pictures: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    result = invoke("weights", weights)
    assert result.exit_code == 0, result.output
    names = set(read_state(weights))
    assert {"visual.head.layers.1.weight", "text.layers.0.qkv.weight", "logit_scale"} <= names
    out = tmp_path / "out"
    few = ("run.batch=3", "run.steps=3", "run.evaluate_steps=9", "run.log_steps=1", "run.workers=0")
    sets = [part for one in (*few, "run.ema=0", "optimizer.learning_rate=1e-3")
            for part in ("--set", one)]  # fmt: skip
    result = invoke("finetune", pictures, "--out", out, "--weights", weights, *sets)
    assert result.exit_code == 0, result.output
    assert "18 photos to learn from, 6 held out, 1 without a caption left out" in result.output
    told = json.loads((out / "finetune.json").read_text())
    assert told["held_out"] == 6
    assert told["start"].startswith(f"{Bundle.open(bundled_path()).id} (weights.safetensors, SHA-")
    made, bundled = Bundle.open(out / "bundle"), Bundle.open(bundled_path())
    assert made.manifest["name"] == "finetuned"
    assert made.calibration is None, "its cut-offs were those of the vectors before"
    files, before = made.manifest["files"], bundled.manifest["files"]
    assert files["text.onnx"] == before["text.onnx"]
    assert files["image.onnx"]["sha256"] != before["image.onnx"]["sha256"]
    # And it has learned: the pictures lie nearer to their captions.
    texts = [f"a {name} wall" for name in COLOURS]
    shown = [Image.open(pictures / f"{number}.png") for number in range(4)]
    fits = []
    for folder in (bundled_path(), out / "bundle"):
        encoder = open_encoder(folder)
        cosines = encoder.encode_images(shown) @ encoder.encode_texts(texts).T
        fits.append(np.diag(cosines).mean() - cosines.mean())
    assert fits[1] > fits[0]


def test_given_weights_are_measured_as_they_are_or_refused(tmp_path: Path) -> None:
    state = trainable_state(bundled_path())
    # With another bias all vectors are others, and those are what is measured before.
    bias = state["visual.head.layers.4.bias"]
    changed = tmp_path / "changed.safetensors"
    save_file(state | {"visual.head.layers.4.bias": bias + 0.5}, changed)
    start = from_bundle(bundled_path(), changed)
    picture = [Image.new("RGB", (64, 64), "red")]
    with start.encoder() as encoder:
        (given,) = encoder.encode_images(picture)
    (bundled,) = open_encoder(bundled_path()).encode_images(picture)
    assert given @ bundled < 0.99
    # Another file of that name is another start.
    assert hashlib.sha256(changed.read_bytes()).hexdigest()[:16] in start.name
    # The text network of a new bundle is that of the old one.
    text = state["text.layers.0.qkv.weight"]
    save_file(state | {"text.layers.0.qkv.weight": text + 0.1}, changed)
    with pytest.raises(ValueError, match=r"1 tensors, text.layers.0.qkv.weight first, are not"):
        from_bundle(bundled_path(), changed)


def test_a_tuned_model_is_worse_when_it_finds_less() -> None:
    assert Tuned(Path(), 0.5, 0.4).worse
    assert not Tuned(Path(), 0.4, 0.4).worse


@pytest.fixture
def small_weights(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    torch.manual_seed(1)
    save_file(write_model(folder).state_dict(), folder / "model.safetensors")
    with known_model(folder):
        yield folder / "model.safetensors"


def test_weights_of_the_family_learn_to_a_bundle_that_searches(
    pictures: Path, small_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    start = ("--model", NAME, "--weights", small_weights, "--licence", "MIT")
    sets = ("--set", "run.batch=6", "--set", "run.workers=0", "--epochs", "2")
    result = invoke("finetune", pictures, "--out", out, *start, *sets)
    assert result.exit_code == 0, result.output
    bundle = Bundle.open(out / "bundle")
    assert bundle.manifest["licence"] == "MIT"
    with photosearch.Library.open(tmp_path / "library", model=out / "bundle") as library:
        for _ in library.index([pictures], workers=1):
            pass
        assert len(list(library.search("a red wall", literal=True))) > 0


WRONG = {
    ("--model", NAME): "--model goes with --weights and --licence",
    ("--licence", "MIT"): "--licence goes with --model",
}


@pytest.mark.parametrize("options", WRONG)
def test_options_that_do_not_go_together(pictures: Path, tmp_path: Path, options: Any) -> None:
    result = invoke("finetune", pictures, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert WRONG[options] in result.output


def test_too_few_pictures_and_other_bundles_are_refused(pictures: Path, tmp_path: Path) -> None:
    result = invoke(
        "finetune", pictures, "--out", tmp_path / "out", "--set", "loss.contrastive=sigmoid"
    )
    assert result.exit_code == 1
    assert "loss.contrastive: finetune goes on with the softmax" in result.output
    few = tmp_path / "few"
    few.mkdir()
    shutil.copy(pictures / "0.png", few)
    (few / "0.txt").write_text("a red wall")
    result = invoke("finetune", few, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 pictures with captions, and it takes 20 at least" in result.output
