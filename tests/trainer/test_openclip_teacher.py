"""Teachers of open_clip: which weights, whose preprocessing, and what is said where unclear."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from optional import module
from PIL import Image
from tiny_openclip import CLIP, DIM, SIZE, write_checkpoint, write_folder, write_repository

from trainer.models.pretrained import load_pretrained, split_spec
from trainer.teachers.ensemble import Ensemble
from trainer.teachers.open import open_teacher
from trainer.teachers.openclip import OpenClipTeacher
from trainer.torchvision_ops import ensure_torchvision

pytestmark = pytest.mark.slow

ensure_torchvision()
open_clip = module("open_clip")

TEXTS = ["a dog on a beach", "two people", "a red car at night"]
OPENAI = {"mean": (0.48, 0.46, 0.41), "std": (0.27, 0.26, 0.28)}
INCEPTION = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)) for _ in range(40)
    ]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hugging Face hub, with the network switched off."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives open_clip a tiny architecture of a name, and tags of it."""

    def add(name: str, **tags: dict[str, Any]) -> None:
        path = tmp_path / "configs" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(CLIP))
        open_clip.add_model_config(path)
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED, name, tags)

    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", dict(open_clip.factory._MODEL_CONFIGS))
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", [])
    return add


def expected(
    folder: Path,
    photos: list[Image.Image],
    mean: Any,
    std: Any,
    *,
    quick_gelu: bool = False,
) -> np.ndarray:
    """Unit-norm embeddings, from open_clip's network and our own normalisation."""
    network = open_clip.create_model(f"local-dir:{folder}", force_quick_gelu=quick_gelu).eval()
    pixels = np.stack([np.asarray(photo) for photo in photos]).astype(np.float32) / 255
    pixels = ((pixels - np.float32(mean)) / np.float32(std)).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        rows = network.encode_image(torch.from_numpy(pixels)).numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def agree(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return bool(np.abs(ours - theirs).max() < 1e-4)


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (each test looks into the message)
        load_pretrained(*arguments, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_folder_with_a_configuration(folder: Path, photos: list[Image.Image]) -> None:
    teacher = open_teacher(f"openclip:local-dir:{folder}")
    images, texts = teacher.embed_images(photos), teacher.embed_texts(TEXTS)
    assert teacher.name == "tiny"
    assert teacher.logit_scale == pytest.approx(50.0)
    assert (images.shape, images.dtype) == ((40, DIM), np.float32)
    assert (texts.shape, teacher.dim) == ((3, DIM), DIM)
    assert agree(images, expected(folder, photos, [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    ids = open_clip.get_tokenizer("ViT-B-32")(TEXTS)
    network = open_clip.create_model(f"local-dir:{folder}").eval()
    with torch.inference_mode():
        assert agree(texts, network.encode_text(ids, normalize=True).numpy())


def test_a_batch_is_as_its_pictures(folder: Path, photos: list[Image.Image]) -> None:
    teacher = OpenClipTeacher(f"local-dir:{folder}")
    together = teacher.embed_images(photos)
    assert agree(together, np.concatenate([teacher.embed_images([photo]) for photo in photos]))
    assert teacher.embed_images([]).shape == (0, DIM)
    assert teacher.embed_texts([]).shape == (0, DIM)


def test_upright_photo_is_resized_and_cropped(folder: Path, photos: list[Image.Image]) -> None:
    """The configuration's default: the shorter side to the input, then the middle."""
    tall = Image.new("RGB", (SIZE, 3 * SIZE), "red")
    tall.paste(photos[0], (0, SIZE))
    teacher = OpenClipTeacher(f"local-dir:{folder}")
    assert agree(teacher.embed_images([tall]), teacher.embed_images(photos[:1]))


def test_repository_of_the_hub(folder: Path, hub: Path, photos: list[Image.Image]) -> None:
    write_repository(hub, "someone/tiny", folder)
    teacher = open_teacher("openclip:hf-hub:someone/tiny")
    assert teacher.name == "someone/tiny"
    assert teacher.digest == OpenClipTeacher(f"local-dir:{folder}").digest
    assert agree(
        teacher.embed_images(photos), expected(folder, photos, [0.1, 0.2, 0.3], [0.5, 0.6, 0.7])
    )


def test_repository_that_is_not_there(hub: Path) -> None:
    message = refused("hf-hub:someone/nothing")
    assert "someone/nothing" in message
    assert "network" in message


def test_tag_brings_its_statistics_and_activation(
    folder: Path, hub: Path, register: Any, photos: list[Image.Image]
) -> None:
    write_repository(hub, "someone/tiny-openai", folder)
    register("tiny-tagged", openai={**OPENAI, "quick_gelu": True, "hf_hub": "someone/tiny-openai/"})
    images = OpenClipTeacher("tiny-tagged", "openai").embed_images(photos)
    assert agree(images, expected(folder, photos, **OPENAI, quick_gelu=True))
    assert not agree(images, expected(folder, photos, **OPENAI, quick_gelu=False))
    assert not agree(images, expected(folder, photos, **INCEPTION, quick_gelu=True))


def test_tag_whose_weights_cannot_be_had(hub: Path, register: Any) -> None:
    register("tiny-tagged", openai={**OPENAI, "hf_hub": "someone/tiny-openai/"})
    message = refused("tiny-tagged", "openai")
    assert "tiny-tagged openai" in message
    assert "someone/tiny-openai" in message
    assert "tiny-tagged:FILE:openai" in message


def test_file_takes_the_statistics_that_all_tags_share(
    folder: Path, register: Any, tmp_path: Path, photos: list[Image.Image]
) -> None:
    """open_clip itself would take OpenAI's for any file, whatever the model."""
    plain = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    register("tiny-plain", first={**plain, "url": "x"}, second={**plain, "url": "y"})
    path = write_checkpoint(folder, tmp_path / "weights.pt")
    teacher = open_teacher(f"openclip:tiny-plain:{path}")
    assert agree(teacher.embed_images(photos), expected(folder, photos, **plain))
    assert isinstance(teacher, OpenClipTeacher)
    assert teacher.preprocessing == "the tags of tiny-plain"
    assert teacher.name == "tiny-plain weights.pt"


@pytest.mark.parametrize("other", [INCEPTION, {**OPENAI, "quick_gelu": True}])
def test_file_whose_tags_differ_needs_one_of_them(
    folder: Path,
    register: Any,
    tmp_path: Path,
    photos: list[Image.Image],
    other: dict[str, Any],
) -> None:
    register("tiny-mixed", openai={**OPENAI, "url": "x"}, other={**other, "url": "y"})
    path = write_checkpoint(folder, tmp_path / "weights.pt")
    assert "openai, other" in refused("tiny-mixed", str(path))
    teacher = open_teacher(f"openclip:tiny-mixed:{path}:other")
    assert agree(teacher.embed_images(photos), expected(folder, photos, **other))
    assert "no tag 'third'" in refused("tiny-mixed", str(path), like="third")


def test_file_of_a_model_without_tags_needs_statistics(
    folder: Path, register: Any, tmp_path: Path, photos: list[Image.Image]
) -> None:
    register("tiny-untagged")
    path = str(write_checkpoint(folder, tmp_path / "weights.pt"))
    assert "local-dir:FOLDER" in refused("tiny-untagged", path)
    teacher = OpenClipTeacher("tiny-untagged", path, **INCEPTION)
    assert agree(teacher.embed_images(photos), expected(folder, photos, **INCEPTION))
    assert teacher.preprocessing == "open_clip's defaults, with the mean or std given"


def test_digest_is_that_of_the_embeddings(folder: Path, tmp_path: Path) -> None:
    first = OpenClipTeacher(f"local-dir:{folder}").digest
    same = write_folder(tmp_path / "same")
    others = [
        write_folder(tmp_path / "weights", seed=1),
        write_folder(tmp_path / "mean", preprocessing={"mean": [0.4, 0.2, 0.3], "std": [1, 1, 1]}),
        write_folder(tmp_path / "activation", quick_gelu=True),
    ]
    assert OpenClipTeacher(f"local-dir:{same}").digest == first
    digests = {OpenClipTeacher(f"local-dir:{other}").digest for other in others}
    assert len({first, *digests}) == 4
    assert re.fullmatch("[0-9a-f]{64}", first)


def test_weights_that_are_not(folder: Path, register: Any, tmp_path: Path) -> None:
    register("tiny-plain", only={**OPENAI, "url": "x"})
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no weights")
    assert "broken.pt" in refused("tiny-plain", str(broken))
    wide = write_folder(tmp_path / "wide", embed_dim=DIM + 1)
    other = write_checkpoint(wide, tmp_path / "wide.pt")
    assert "wide.pt" in refused("tiny-plain", str(other))
    (wide / "open_clip_model.safetensors").unlink()
    assert "wide" in refused(f"local-dir:{wide}")


def test_what_is_not_known_is_named() -> None:
    assert "ViT-B-32" in refused("ViT-B-33", "openai")
    assert "laion2b_s34b_b79k" in refused("ViT-B-32", "opennai")
    assert "openai" in refused("ViT-B-32")
    assert "leave out" in refused("local-dir:somewhere", "openai")
    with pytest.raises(ValueError, match="openclip:MODEL:FILE:TAG"):
        open_teacher("clip:ViT-B-32")


def test_specifications(tmp_path: Path) -> None:
    assert split_spec("ViT-B-32:openai") == ("ViT-B-32", "openai", None)
    assert split_spec("ViT-B-32:a/b.pt:openai") == ("ViT-B-32", "a/b.pt", "openai")
    assert split_spec("ViT-B-32") == ("ViT-B-32", None, None)
    assert split_spec("local-dir:C:/models") == ("local-dir:C:/models", None, None)
    odd = tmp_path / "a:b.pt"
    odd.touch()
    assert split_spec(f"ViT-B-32:{odd}") == ("ViT-B-32", str(odd), None)
    assert split_spec(f"ViT-B-32:{odd}:openai") == ("ViT-B-32", str(odd), "openai")


def test_ensemble_stands_side_by_side(
    folder: Path, tmp_path: Path, photos: list[Image.Image]
) -> None:
    teachers = [
        OpenClipTeacher(f"local-dir:{folder}"),
        OpenClipTeacher(f"local-dir:{write_folder(tmp_path / 'wide', embed_dim=24)}"),
    ]
    ensemble = Ensemble(teachers)
    images, texts = ensemble.embed_images(photos[:3]), ensemble.embed_texts(TEXTS)
    assert images.shape == texts.shape == (3, ensemble.dim) == (3, DIM + 24)
    for teacher, part in zip(teachers, ensemble.slices, strict=True):
        assert agree(images[:, part], teacher.embed_images(photos[:3]))
        assert agree(texts[:, part], teacher.embed_texts(TEXTS))
        assert np.linalg.norm(images[:, part], axis=1) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])
