"""`photosearch-trainer export --pretrained`: any plain open_clip model becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tiny_openclip import CLIP, COCA, DIM, PREPROCESSING, SIZE, write_folder
from torch.nn import functional as F

from photosearch.encoders import Bundle, open_encoder
from trainer.cli import main
from trainer.export.errors import ExportError
from trainer.export.pretrained import open_towers
from trainer.models.pretrained import load_pretrained

pytestmark = pytest.mark.slow

TEXTS = ["a dog on a beach", "", "two people, 1999", "very " * 100 + "long"]
CARD = {
    "name": "tiny",
    "version": "3",
    "summary": "A tiny one.",
    "licence": "MIT\n\nAnd more of it.",
    "intended_use": ["Tests."],
    "not_for": ["Anything else."],
    "training": ["Random weights."],
    "weaknesses": ["Knows nothing."],
    "details": {"Embedding": "16 numbers"},
    "data": [{"name": "Nothing", "amount": "0 photos", "use": "none", "licence": "none"}],
    "teachers": [{"name": "Nobody", "role": "none", "licence": "none"}],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def bundle(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    card = folder / "card.json"
    card.write_text(json.dumps(CARD))
    out = folder / "bundle"
    arguments = ["export", "--pretrained", f"local-dir:{model}", "--card", str(card)]
    done = CliRunner().invoke(main, [*arguments, "--float16", "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


def test_the_bundle_is_the_model(model: Path, bundle: Path) -> None:
    opened = load_pretrained(f"local-dir:{model}")
    random = np.random.default_rng(1)
    photos = [
        Image.fromarray(random.integers(0, 256, (40, 70, 3), dtype=np.uint8)) for _ in range(3)
    ]
    with torch.inference_mode():
        pixels = torch.stack([opened.preprocess(photo) for photo in photos])
        images = F.normalize(opened.model.encode_image(pixels)).numpy()
        texts = F.normalize(opened.model.encode_text(opened.tokenizer(TEXTS))).numpy()
    encoder = open_encoder(bundle)
    # Weights in float16 and 8 bits, and pixels that were rounded when they were resized.
    assert (encoder.encode_images(photos) * images).sum(1) == pytest.approx(1, abs=2e-3)
    assert (encoder.encode_texts(TEXTS) * texts).sum(1) == pytest.approx(1, abs=2e-3)
    assert np.abs(images @ images.T - 1).max() > 0.01  # they do differ


def test_what_the_bundle_says(model: Path, bundle: Path) -> None:
    opened = Bundle.open(bundle)
    assert (opened.name, opened.version, opened.dim) == ("tiny", "3", DIM)
    assert (opened.image.size, opened.image.resize, opened.image.crop) == (
        SIZE,
        "shortest",
        "center",
    )
    assert opened.image.mean == pytest.approx(PREPROCESSING["mean"])
    assert opened.image.std == pytest.approx(PREPROCESSING["std"])
    assert opened.text.context_length == 77
    assert opened.manifest["licence"] == "MIT"
    assert opened.manifest["logit_scale"] == pytest.approx(50)
    assert opened.card().startswith("# tiny 3")


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="CoCa"):
        open_towers(f"local-dir:{write_folder(tmp_path / 'coca', COCA)}")


def test_a_preparation_that_photosearch_lacks_is_refused(tmp_path: Path) -> None:
    longest = PREPROCESSING | {"resize_mode": "longest"}
    folder = write_folder(tmp_path / "longest", preprocessing=longest)
    with pytest.raises(ExportError, match="'longest'"):
        open_towers(f"local-dir:{folder}")


def test_a_tokenizer_of_its_own_is_refused(tmp_path: Path) -> None:
    clean = CLIP["text_cfg"] | {"tokenizer_kwargs": {"clean": "whitespace"}}
    folder = write_folder(tmp_path / "clean", text_cfg=clean)
    with pytest.raises(ExportError, match="tokenizer"):
        open_towers(f"local-dir:{folder}")


@pytest.mark.parametrize("more", [["--weights", "card"], ["--image", "card"]])
def test_it_excludes_other_weights(tmp_path: Path, more: list[str]) -> None:
    card = tmp_path / "card"
    card.write_text("")
    options = [str(card) if each == "card" else each for each in more]
    arguments = ["export", "--pretrained", "ViT-B-32:openai", *options, "--card", str(card)]
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "--pretrained" in done.stderr
