"""What is measured on held-out photos while training, against how a bundle is evaluated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clip_benchmark_data import two_classes
from numpy.typing import NDArray
from PIL import Image
from tars import sample, write_tar
from train_data import DIMS, PHOTOS, shared_shards, write_model, write_validation

from photosearch.encoders import ImageSettings, Preprocess
from trainer.data.reinforced import read_manifest, read_reinforced
from trainer.evaluate.classification import classify
from trainer.evaluate.clip_benchmark import measure_sets
from trainer.evaluate.zero_shot import class_embeddings, measure_folder, simple_templates
from trainer.models.config import ModelConfig, image_facts, read_config
from trainer.models.family import Clip, build_from
from trainer.models.tokens import tokenizer_of
from trainer.train.pixels import normalised
from trainer.train.validation import labelled_tars, open_validation

pytestmark = pytest.mark.slow

NAMES = ["cat", "dog", "red car", "boat"]


class Towers:
    """A model with the two calls of an encoder."""

    def __init__(self, model: Clip, config: ModelConfig) -> None:
        self._model, self._config = model, config
        self._prepare = Preprocess(ImageSettings(**image_facts(config.image)))

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        ids = torch.from_numpy(tokenizer_of(self._config.text)(texts))
        return self._model.encode_text(ids, normalize=True).numpy()

    @torch.inference_mode()
    def encode_images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        pixels = np.stack([self._prepare.pixels(one) for one in pictures])
        images = torch.from_numpy(self._prepare.normalise(pixels))
        return self._model.encode_image(images, normalize=True).numpy()


@pytest.fixture
def pictures() -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (40, 40, 3), np.uint8)).resize((40, 40), box=box)
        for box in [(0, 0, side, side) for side in range(2, 42, 2)]
    ]


def labelled(path: Path, pictures: Sequence[Image.Image], names: Sequence[str]) -> Path:
    members = [
        member
        for number, (picture, name) in enumerate(zip(pictures, names, strict=True))
        for member in sample(f"p{number}", picture, {"label": name})
    ]
    return write_tar(path, members)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_classes_are_told_as_a_bundle_is_evaluated(
    tmp_path: Path, pictures: list[Image.Image], seed: int
) -> None:
    config = read_config(write_model(tmp_path / "model.json"))
    torch.manual_seed(seed)
    model = build_from(config).eval()
    encoder = Towers(model, config)
    classes = class_embeddings(encoder, sorted(NAMES), simple_templates())  # type: ignore[arg-type]
    images = encoder.encode_images(pictures)
    # Half of them have the label that this model takes them for.
    nearest = (images @ classes.T).argmax(1)
    owned = [int(one) if at % 2 else (int(one) + 1) % 4 for at, one in enumerate(nearest)]
    names = [sorted(NAMES)[one] for one in owned]
    known = sorted(set(names))
    tar = labelled(tmp_path / "photos.tar", pictures, names)
    figures = labelled_tars([tar], config).figures(model)
    rows = np.array([sorted(NAMES).index(name) for name in known])
    expected = classify(images, classes[rows], np.array([known.index(name) for name in names]))
    assert figures == {"zero_shot_top1": pytest.approx(float((expected.ranks == 1).mean()))}
    assert 0.3 < figures["zero_shot_top1"] < 0.9


def test_data_sets_are_classified_as_a_bundle_is_evaluated(
    tmp_path: Path, pictures: list[Image.Image]
) -> None:
    """In folders of classes, with names of their own, and in clip_benchmark's form."""
    config = read_config(write_model(tmp_path / "model.json"))
    model = build_from(config).eval()
    encoder: Any = Towers(model, config)
    for number, picture in enumerate(pictures):
        place = tmp_path / "Imagenet-mini" / f"n{number % 6}" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        picture.save(place)
    names = tmp_path / "names.json"
    names.write_text(json.dumps({f"n{number}": f"thing {number}" for number in range(6)}))
    measured = {one.figure.name: one.figure.value for one in measure_folder(
        encoder, tmp_path / "Imagenet-mini", names
    )}  # fmt: skip
    sets = two_classes(tmp_path / "sets", "colours")
    (of_set,) = {one.figure.value for one in measure_sets(encoder, sets.parent)[1][:1]}
    validation = open_validation(
        config, labelled=[tmp_path / "Imagenet-mini", sets.parent], class_names=str(names)
    )
    figures = validation[0].figures(model) | validation[1].figures(model)
    assert figures == {
        "imagenet_mini_top1": pytest.approx(measured["top-1"]),
        "imagenet_mini_top5": pytest.approx(measured["top-5"]),
        "colours_top1": pytest.approx(of_set),
    }
    assert validation[0].summary == "20 photos of 6 classes (chance top-1 16.67%)"
    with pytest.raises(ValueError, match="2 labelled sets are called colours"):
        open_validation(config, labelled=[sets.parent, sets.parent])


class TestAgreement:
    @pytest.fixture(scope="class")
    def shards(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return shared_shards(tmp_path_factory)

    def test_is_the_mean_cosine_to_the_teacher_of_the_students_width(
        self, tmp_path: Path, shards: Path
    ) -> None:
        config = read_config(write_model(tmp_path / "model.json"))
        torch.manual_seed(0)
        model = build_from(config).eval()
        tars = sorted(shards.glob("*.tar"))
        (validation,) = open_validation(config, reinforced=tars)
        cosines = []
        for one in read_reinforced(*tars):
            pixels = torch.from_numpy(np.array(one.view(0, config.image.size)))[None]
            with torch.no_grad():
                ours = model.encode_image(normalised(pixels, config.image), normalize=True)[0]
            theirs = one.image_embeddings[0, : DIMS[0]]
            cosines.append(float(ours.numpy() @ theirs / np.linalg.norm(theirs)))
        assert np.std(cosines) > 0.01
        expected = pytest.approx(np.mean(cosines), abs=1e-5)
        assert validation.figures(model) == {"image_cosine": expected}
        name = read_manifest(tars[0]).teachers[0].name
        assert validation.summary == f"{PHOTOS} photos beside what {name} said"

    def test_needs_a_teacher_of_the_students_width(self, tmp_path: Path, shards: Path) -> None:
        config = read_config(write_model(tmp_path / "model.json"))
        tars = sorted(shards.glob("*.tar"))
        other = read_manifest(tars[0]).teachers[1].name
        with pytest.raises(ValueError, match=r"photos-0\.tar: no teacher to agree with.* 16 dim"):
            open_validation(config, reinforced=tars, teachers=[other])
        captioned = write_validation(tmp_path / "photos.tar")
        with pytest.raises(ValueError, match=r"photos\.tar: no teacher to agree with"):
            open_validation(config, reinforced=[captioned])


def test_there_must_be_two_classes(tmp_path: Path, pictures: list[Image.Image]) -> None:
    config = read_config(write_model(tmp_path / "model.json"))
    tar = labelled(tmp_path / "one.tar", pictures, ["cat"] * len(pictures))
    with pytest.raises(ValueError, match="no two labels"):
        open_validation(config, labelled=[tar])
    assert open_validation(config) == []
