"""A text tower that is a sentence encoder, with its own tokenizer, on its way into a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner, Result
from manifest import bundle_fields
from onnx import TensorProto
from optional import module
from own_tokenizers import by_the_library, edited
from PIL import Image
from sentence_encoders import HEADS, LAYERS, TOKENS, WIDTH, write_encoder
from tars import sample, write_tar
from torch import nn
from torch.nn import functional as F

from photosearch.encoders import Bundle, open_encoder
from trainer.cli import main
from trainer.export import ExportError, ExportReport, annotate_bundle, export_bundle
from trainer.export.int8_text import write_int8
from trainer.models import config as configs
from trainer.models.config import load_config
from trainer.models.family import build_image_tower
from trainer.models.sentence_tower import SentenceTower, load_sentence_encoder

pytestmark = pytest.mark.slow

CONTEXT, SIZE = 10, 32
TEXT = {"context_length": CONTEXT, "tokenizer": "tokenizer.json", "pad_id": 0, "padding": "longest"}
FIELDS = bundle_fields(size=SIZE, context=CONTEXT, dim=WIDTH, text=TEXT)
NETWORKS = ("image.onnx", "text.onnx")
TEXTS = ["a dog", "Zürich!", "", "the red car, the red bus and the dogs", "犬"]


class Means(nn.Module):
    """The mean of each channel, and of each half."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(6, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        halves = x.unflatten(2, (2, -1)).mean((3, 4))
        rows: torch.Tensor = self.layer(halves.flatten(1))
        return rows


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("sentences") / "encoder")


@pytest.fixture(scope="module")
def tower(encoder: Path) -> SentenceTower:
    tower = SentenceTower(
        context_length=CONTEXT,
        vocab_size=TOKENS,
        width=WIDTH,
        heads=HEADS,
        layers=LAYERS,
    ).eval()
    load_sentence_encoder(tower, encoder)
    return tower


@pytest.fixture(scope="module")
def report(encoder: Path, tower: SentenceTower, tmp_path_factory: Any) -> ExportReport:
    """Of an export, only to be looked at."""
    return export(tmp_path_factory.mktemp("export") / "bundle", tower, encoder)


def export(out: Path, tower: nn.Module, encoder: Path | None, **changes: Any) -> ExportReport:
    tokenizer = None if encoder is None else encoder / "tokenizer.json"
    options: dict[str, Any] = {"fields": FIELDS, "card": "# Card\n", "tokenizer": tokenizer}
    return export_bundle(Means(), tower, out, **(options | changes))


@torch.inference_mode()
def expected(tower: SentenceTower, encoder: Path) -> np.ndarray:
    """Each text by itself, without any padding."""
    ids = by_the_library(encoder / "tokenizer.json", TEXTS, CONTEXT)
    rows = torch.cat([tower(torch.tensor([row])) for row in ids])
    return F.normalize(rows, dim=1).numpy()


def test_texts_are_what_they_are_in_pytorch(
    report: ExportReport, tower: SentenceTower, encoder: Path
) -> None:
    opened = open_encoder(report.bundle.folder)
    wanted = expected(tower, encoder)
    np.testing.assert_allclose(opened.encode_texts(TEXTS), wanted, rtol=0, atol=1e-5)
    alone = np.concatenate([opened.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, wanted, rtol=0, atol=1e-5)
    assert report.parity["text"] < 1e-5


def test_the_tokenizer_is_in_the_bundle(report: ExportReport, encoder: Path) -> None:
    folder = report.bundle.folder
    assert "tokenizer.json" in report.bundle.manifest["files"]
    ours, theirs = (
        json.loads((place / "tokenizer.json").read_text(encoding="utf-8"))
        for place in (folder, encoder)
    )
    assert theirs["padding"] is not None
    assert ours == theirs | {"padding": None, "truncation": None, "decoder": None}
    assert report.sizes["tokenizer.json"] < (encoder / "tokenizer.json").stat().st_size


def test_a_batch_of_any_length_is_taken(report: ExportReport) -> None:
    import onnxruntime

    network = onnxruntime.InferenceSession(report.bundle.folder / "text.onnx")
    for shape in ((1, 2), (3, 7), (2, CONTEXT)):
        (rows,) = network.run(None, {"tokens": np.ones(shape, np.int64)})
        assert rows.shape == (shape[0], WIDTH)


def test_in_8_bits_it_is_nearly_the_same_and_alone_as_in_a_batch(
    report: ExportReport, tower: SentenceTower, encoder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(report.bundle.folder, tmp_path / "bundle")
    write_int8(report.bundle.folder / "text.onnx", folder / "text.onnx")
    annotate = {key: value for key, value in report.bundle.manifest.items() if key != "files"}
    annotate["files"] = {}
    (folder / "bundle.json").write_text(json.dumps(annotate))
    kinds = [node.op_type for node in onnx.load(folder / "text.onnx").graph.node]
    assert kinds.count("MatMulNBits") == 4 * LAYERS

    from photosearch.encoders.onnx import OnnxEncoder

    opened = OnnxEncoder(Bundle(folder, annotate))
    rows = opened.encode_texts(TEXTS)
    alone = np.concatenate([opened.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, rows, rtol=0, atol=1e-5)
    assert (rows * expected(tower, encoder)).sum(1).min() > 0.999
    assert not np.array_equal(rows, open_encoder(report.bundle.folder).encode_texts(TEXTS))


def test_a_new_card_leaves_it_as_it_is(report: ExportReport, tmp_path: Path) -> None:
    folder = shutil.copytree(report.bundle.folder, tmp_path / "bundle")
    bundle = annotate_bundle(folder, card="# Another\n")
    assert bundle.id == report.bundle.id
    assert open_encoder(folder).encode_texts(TEXTS).shape == (5, WIDTH)


def test_it_may_be_replaced(
    report: ExportReport, tower: SentenceTower, encoder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(report.bundle.folder, tmp_path / "bundle")
    assert export(folder, tower, encoder, replace=True).bundle.id == report.bundle.id


def test_core_ml_takes_the_whole_context(
    tower: SentenceTower, encoder: Path, tmp_path: Path
) -> None:
    """Packages have no free length, and padding takes no part."""
    module("coremltools")
    report = export(tmp_path / "bundle", tower, encoder, coreml=True)
    assert report.checks.coreml is not None
    assert report.checks.coreml.float16["text"] > 0.999


class TestRefused:
    def test_without_the_file(self, tower: SentenceTower, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match=r"is tokenizer\.json, and no file is given"):
            export(tmp_path / "bundle", tower, None)

    def test_with_one_that_is_not_asked_for(
        self, tower: SentenceTower, encoder: Path, tmp_path: Path
    ) -> None:
        clip = FIELDS | {"text": {"context_length": CONTEXT, "tokenizer": "clip-bpe"}}
        with pytest.raises(ExportError, match=r"is clip-bpe, and .*tokenizer\.json is given"):
            export(tmp_path / "bundle", tower, encoder, fields=clip)

    @pytest.mark.parametrize("content", ["{", "{}", '{"model": {"type": "BPE"}}'])
    def test_a_damaged_one(self, tower: SentenceTower, tmp_path: Path, content: str) -> None:
        (tmp_path / "tokenizer.json").write_text(content)
        with pytest.raises(ExportError, match=r"tokenizer\.json: "):
            export(tmp_path / "bundle", tower, tmp_path)
        assert not (tmp_path / "bundle").exists()

    def test_one_of_another_model(
        self, tower: SentenceTower, encoder: Path, tmp_path: Path
    ) -> None:
        def more(content: dict[str, Any]) -> None:
            content["model"]["vocab"]["sunset"] = 4000

        edited(Path(shutil.copy(encoder / "tokenizer.json", tmp_path)), more)
        with pytest.raises(ExportError, match=r"tokenizer\.json: makes the token 4000, and the"):
            export(tmp_path / "bundle", tower, tmp_path)


def stored(path: Path) -> set[int]:
    """The kinds of numbers that a network's weights are stored as."""
    return {weights.data_type for weights in onnx.load(path).graph.initializer}


CARD = """
name = "small"
version = "1"
summary = "A small one."
logit_scale = 30.0
languages = ["en"]
licence = "Apache-2.0"
intended_use = ["Tests."]
not_for = ["Anything else."]
training = ["Random weights."]
weaknesses = ["Knows nothing."]
details = { Embedding = "16 numbers" }
data = [{ name = "Nothing", amount = "0 photos", use = "none", licence = "none" }]
teachers = [{ name = "Nobody", role = "none", licence = "none" }]
"""


class TestCommand:
    @pytest.fixture(autouse=True)
    def small(self, tmp_path: Path) -> Iterator[None]:
        """A model that reads sentences, the weights of its image tower, and a card."""
        small = json.loads((configs._FOLDER / "MobileCLIP-Small.json").read_text())
        small["dim"] = WIDTH
        small["image"] |= {"tower": "test_resnet", "size": SIZE, "hidden": None, "concepts": False}
        shape = {"vocab_size": TOKENS, "width": WIDTH, "heads": HEADS, "layers": LAYERS}
        small["text"] |= shape | {"context_length": CONTEXT}
        (tmp_path / "configs").mkdir()
        (tmp_path / "configs" / "Small.json").write_text(json.dumps(small))
        (tmp_path / "card.toml").write_text(CARD)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(configs, "_FOLDER", tmp_path / "configs")
            config = load_config("Small")
            torch.save(
                build_image_tower(config.image, config.dim).state_dict(), tmp_path / "image.pt"
            )
            yield

    def run(self, place: Path, *options: object) -> Result:
        arguments = ["export", "--model", "Small", "--card", place / "card.toml"]
        arguments += ["--out", place / "bundle", *options]
        return CliRunner().invoke(main, [*map(str, arguments)])

    def test_the_text_tower_comes_from_the_sentence_encoder(
        self, tmp_path: Path, encoder: Path, tower: SentenceTower
    ) -> None:
        image = tmp_path / "image.pt"
        result = self.run(tmp_path, "--image", image, "--sentence-encoder", encoder)
        assert result.exit_code == 0, result.output
        bundle = Bundle.open(tmp_path / "bundle")
        assert bundle.manifest["text"] == TEXT
        assert bundle.languages == {"en"}
        # Its token table is in 8 bits.
        rows = open_encoder(bundle.folder).encode_texts(TEXTS)
        assert (rows * expected(tower, encoder)).sum(1).min() > 0.9999

    def test_or_from_a_file_as_it_was_trained_on(
        self, tmp_path: Path, encoder: Path, tower: SentenceTower
    ) -> None:
        trained = {name: value * 1.5 for name, value in tower.state_dict().items()}
        torch.save(trained, tmp_path / "text.pt")
        files = ("--image", tmp_path / "image.pt", "--text", tmp_path / "text.pt")
        result = self.run(tmp_path, *files, "--sentence-encoder", encoder)
        assert result.exit_code == 0, result.output
        rows = open_encoder(tmp_path / "bundle").encode_texts(TEXTS)
        assert (rows * expected(tower, encoder)).sum(1).max() < 0.999

    def test_in_8_bits_its_gate_reads_its_tokens_and_halves_the_image_tower_alone(
        self, tmp_path: Path, encoder: Path
    ) -> None:
        members = []
        for number in range(101):
            photo = Image.new("RGB", (4, 4), (2 * number, 255 - number, 90))
            captions = [f"the dog {number}", f"a car, {number}"]
            members += sample(f"{number:03}", photo, {"captions": captions})
        gate = write_tar(tmp_path / "gate.tar", members)
        options = ["--gate", gate, "--int8-text", "--float16"]
        image = tmp_path / "image.pt"
        result = self.run(tmp_path, "--image", image, "--sentence-encoder", encoder, *options)
        assert result.exit_code == 0, result.output
        told = Bundle.open(tmp_path / "bundle").manifest["export"]
        assert told["int8_text"]["cosine"] > 0.999
        assert told["retrieval"]["gallery"] == 101
        kinds = (TensorProto.FLOAT16 in stored(tmp_path / "bundle" / name) for name in NETWORKS)
        assert [*kinds] == [True, False]

    def test_one_that_does_not_fit(self, tmp_path: Path) -> None:
        image, other = tmp_path / "image.pt", write_encoder(tmp_path / "deep", layers=LAYERS + 1)
        result = self.run(tmp_path, "--image", image, "--sentence-encoder", other)
        assert result.exit_code == 1
        assert f"{other}: not a sentence encoder of this shape: has more than 2" in result.stderr

    def test_a_model_that_reads_clips_tokens_has_none(self, tmp_path: Path, encoder: Path) -> None:
        options = ["--model", "MobileCLIP-Nano", "--sentence-encoder", encoder]
        result = self.run(tmp_path, "--weights", tmp_path / "image.pt", *options)
        assert result.exit_code == 2
        assert "--sentence-encoder is for a model whose text tower is one" in result.stderr
