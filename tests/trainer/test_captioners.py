"""Synthetic captions: from a captioning network, labels, a classifier and an object detector."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from optional import module
from PIL import Image
from tiny_openclip import COCA, favour, write_folder
from tiny_tflite import random_network, write_classifier
from tiny_yolox import CAT, DOG, PERSON, SIZE, write_yolox

from trainer.captioners import coca as coca_module
from trainer.captioners.classifier import ClassifierCaptioner
from trainer.captioners.coca import CocaCaptioner
from trainer.captioners.detector import DetectorCaptioner, coco_phrases
from trainer.captioners.labels import LabelCaptioner, labels
from trainer.captioners.nucleus import nucleus_sample
from trainer.captioners.open import open_captioner
from trainer.captioners.wording import GENERIC, TEMPLATES, choose, counted, listed, with_article
from trainer.captioners.yolox import Yolox, letterbox
from trainer.teachers.classifier import TfliteClassifier
from trainer.teachers.protocol import Captioner
from trainer.torchvision_ops import ensure_torchvision

pytestmark = pytest.mark.slow

ensure_torchvision()
open_clip = module("open_clip")

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def noise(count: int, size: int) -> list[Image.Image]:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in pixels]


def one(captioner: Captioner, image: Image.Image, key: str, count: int) -> list[str]:
    return captioner.caption([image], [{}], [key], count)[0]


# Wording


def test_articles_and_numbers() -> None:
    names = "dog apple university hour dogs bus glass tennis one-man umbrella ukulele T-shirt"
    assert [with_article(name) for name in names.split()] == [
        "a dog",
        "an apple",
        "a university",
        "an hour",
        "dogs",
        "a bus",
        "a glass",
        "a tennis",
        "a one-man",
        "an umbrella",
        "a ukulele",
        "a T-shirt",
    ]
    assert [counted("a person", "people", count) for count in (1, 2, 5, 6)] == [
        "a person",
        "two people",
        "five people",
        "several people",
    ]
    assert listed(["a dog"]) == "a dog"
    assert listed(["a dog", "a cat", "two people"]) == "a dog, a cat and two people"


def test_choice_depends_on_the_key_and_repeats_late() -> None:
    orders = {tuple(choose(TEMPLATES, f"photo-{number}", len(TEMPLATES))) for number in range(20)}
    assert len(orders) > 10
    assert all(set(order) == set(TEMPLATES) for order in orders)
    twice = choose(GENERIC, "photo", 2 * len(GENERIC))
    assert twice[: len(GENERIC)] == twice[len(GENERIC) :] == choose(GENERIC, "photo", len(GENERIC))


# Labels


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"label": "golden_retriever"}, ["golden retriever"]),
        ({"label": "Red-Bell-Pepper"}, ["red bell pepper"]),
        ({"label": "three-toed sloth"}, ["three-toed sloth"]),
        ({"label": "T-shirt"}, ["T-shirt"]),
        ({"label": "007.bat"}, ["bat"]),
        ({"label": "fire images"}, ["fire"]),
        ({"label": ["dog", "dog", "train"]}, ["dog"]),
        ({"label": "train"}, []),
        ({"label": "Images"}, []),
        ({"label": "normal images"}, []),
        ({"label": "BACKGROUND_Google"}, []),
        ({"label": "17"}, []),
        ({"label": "sroie receipts", "source": "sroie_receipts"}, []),
        ({"label": None}, []),
        ({}, []),
    ],
)
def test_what_a_label_says(meta: dict[str, Any], said: list[str]) -> None:
    assert labels(meta) == said


def test_label_captions() -> None:
    captioner = open_captioner("labels")
    image = Image.new("RGB", (8, 8))
    metas = [{"label": "dogs"}, {"label": "test"}, {"label": ["apple", "knife"]}]
    first, second, third = captioner.caption([image] * 3, metas, ["a", "b", "c"], 10)
    assert {len(first), len(second), len(third)} == {10}
    assert set(first) == {template.format("dogs") for template in TEMPLATES}
    assert set(second) <= set(GENERIC)
    assert set(third) == {template.format("an apple and a knife") for template in TEMPLATES}
    assert captioner.caption([image], metas[:1], ["a"], 10) == [first]
    assert captioner.digest == LabelCaptioner().digest


# Classifier


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("classifiers")
    pictures = np.stack([np.asarray(image) for image in noise(4, 32)])
    return [
        write_classifier(
            folder / f"{seed}.tflite", random_network(np.random.default_rng(seed), 5), pictures
        )
        for seed in range(2)
    ]


@pytest.fixture(scope="module")
def class_names(classifiers: list[Path]) -> Path:
    path = classifiers[0].parent / "names.json"
    path.write_text(json.dumps(["dog", "apple", "house", "car", "tree"]))
    return path


def test_classifier_names_the_likeliest_class_of_all_classifiers(
    classifiers: list[Path], class_names: Path
) -> None:
    names = json.loads(class_names.read_text())
    (image,) = noise(1, 32)
    pixels = np.asarray(image)[None]
    chances = np.mean([TfliteClassifier(path)(pixels)[1][0] for path in classifiers], axis=0)
    best = int(chances.argmax())
    sure = ClassifierCaptioner(class_names, classifiers, threshold=chances[best] - 1e-4)
    assert set(one(sure, image, "photo", 8)) == {
        template.format(with_article(names[best])) for template in TEMPLATES
    }
    unsure = ClassifierCaptioner(class_names, classifiers, threshold=chances[best] + 1e-4)
    assert set(one(unsure, image, "photo", 8)) <= set(GENERIC)
    assert sure.digest != unsure.digest

    every = ClassifierCaptioner(class_names, classifiers, threshold=0.0)
    drawn: Counter[str] = Counter()
    for number in range(100):
        for caption in one(every, image, f"photo-{number}", 4):
            drawn.update(name for name in names if with_article(name) in caption)
    shares = [drawn[name] / drawn.total() for name in names]
    assert drawn.total() == 400
    assert shares == pytest.approx(chances.tolist(), abs=0.08)


def test_classifier_captions_by_specification(classifiers: list[Path], class_names: Path) -> None:
    spec = f"classifier:{class_names}:{','.join(map(str, classifiers))}"
    captioner, again = open_captioner(spec), open_captioner(spec)
    images = noise(3, 48)
    keys = ["a", "b", "c"]
    found = captioner.caption(images, [{}] * 3, keys, 3)
    assert found == [one(again, image, key, 3) for image, key in zip(images, keys, strict=True)]
    assert captioner.digest == again.digest
    fewer = class_names.with_name("fewer.json")
    fewer.write_text('["dog"]')
    with pytest.raises(ValueError, match="names 1 classes"):
        ClassifierCaptioner(fewer, classifiers)


# Detector


@pytest.fixture(scope="module")
def yolox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_yolox(tmp_path_factory.mktemp("yolox") / "tiny.onnx")


def painted(size: tuple[int, int], *blocks: tuple[tuple[int, int, int], int, int, int]) -> Any:
    """A grey photo with square blocks: colour, left, top and side."""
    photo = Image.new("RGB", size, (128, 128, 128))
    for colour, left, top, side in blocks:
        photo.paste(colour, (left, top, left + side, top + side))
    return photo


def test_objects_are_found_where_they_are(yolox: Path) -> None:
    """At half size, and once in each of the three grids."""
    photo = painted((2 * SIZE, SIZE), (RED, 48, 16, 16), (BLUE, 64, 32, 32), (GREEN, 64, 0, 64))
    photo.paste(BLUE, (64, 0, 96, 32))
    found = {one.label: one for one in Yolox(yolox)(photo)}
    assert found[PERSON].box == pytest.approx((48, 16, 64, 32), abs=0.5)
    assert found[DOG].box == pytest.approx((64, 0, 96, 32), abs=0.5)
    assert set(found) == {PERSON, DOG}
    whole = Yolox(yolox)(painted((2 * SIZE, SIZE), (GREEN, 64, 0, 64)))
    assert [one.label for one in whole] == [CAT]
    assert whole[0].box == pytest.approx((64, 0, 128, 64), abs=0.5)
    assert whole[0].area == pytest.approx(64 * 64, rel=0.05)
    assert whole[0].score > 0.9


def test_boxes_of_one_object_are_one(tmp_path: Path) -> None:
    """Four cells are red, and each one's box reaches far over the others."""
    photo = painted((SIZE, SIZE), (RED, 24, 24, 16))
    separate = write_yolox(tmp_path / "separate.onnx", cells=1)
    overlapping = write_yolox(tmp_path / "overlapping.onnx", cells=5)
    assert len(Yolox(separate)(photo)) == 4
    assert len(Yolox(overlapping)(photo)) == 1
    assert len(Yolox(overlapping, overlap=0.99)(photo)) == 4
    assert Yolox(separate, threshold=1.0)(photo) == []
    # Boxes end where the photo does.
    assert Yolox(overlapping)(painted((SIZE, SIZE), (RED, 0, 0, 8)))[0].box[:2] == (0, 0)


def test_letterbox_keeps_proportions() -> None:
    pixels, scale = letterbox(Image.new("RGB", (100, 50), (10, 20, 30)), 64)
    assert scale == pytest.approx(0.64)
    assert pixels.shape == (1, 3, 64, 64)
    assert pixels[0, :, 0, 0].tolist() == [30, 20, 10]
    assert pixels[0, :, 31, 63].tolist() == [30, 20, 10]
    assert (pixels[0, :, 32:] == 114).all()


def test_detector_captions(yolox: Path) -> None:
    captioner = open_captioner(f"detector:{yolox}")
    photo = painted((SIZE, SIZE), (RED, 0, 0, 8), (RED, 16, 0, 8), (BLUE, 16, 32, 16))
    texts = one(captioner, photo, "photo", 8)
    assert len(texts) == 8
    full = [text for text in texts if "a dog and two people" in text]
    short = [text for text in texts if "a dog" in text and "people" not in text]
    assert len(full) == len(short) == 4
    assert set(one(captioner, painted((SIZE, SIZE)), "photo", 8)) <= set(GENERIC)
    other = painted((30, 90), (BLUE, 0, 0, 30))
    together = captioner.caption([other, photo], [{}, {}], ["other", "photo"], 8)
    assert together == [one(captioner, other, "other", 8), texts]


def test_detector_digest_is_that_of_the_file(yolox: Path, tmp_path: Path) -> None:
    other = write_yolox(tmp_path / "other.onnx", cells=2)
    same = write_yolox(tmp_path / "same.onnx")
    digests = [DetectorCaptioner(path).digest for path in (yolox, other, same)]
    assert digests[0] == digests[2] != digests[1]


def test_detector_that_is_none(tmp_path: Path, tiny_bundle: Path) -> None:
    with pytest.raises(ValueError, match="no such detector"):
        DetectorCaptioner(tmp_path / "missing.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"broken\.onnx: ONNX Runtime cannot load it") as caught:
        DetectorCaptioner(broken)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match=r"image\.onnx: expected one \(1, 3, S, S\) input"):
        DetectorCaptioner(tiny_bundle / "image.onnx")
    with pytest.raises(ValueError, match="knows 20 classes, not COCO's 80"):
        DetectorCaptioner(write_yolox(tmp_path / "twenty.onnx", classes=20))


def test_phrases_of_coco() -> None:
    phrases = coco_phrases()
    assert len(set(phrases)) == 80
    assert phrases[PERSON] == ("a person", "people")
    assert phrases[DOG] == ("a dog", "dogs")
    assert phrases[79] == ("a toothbrush", "toothbrushes")


# CoCa


@pytest.fixture(scope="module")
def coca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights that hardly know other words than these."""
    folder = write_folder(tmp_path_factory.mktemp("coca") / "tiny", COCA)
    words = {"a</w>": 30.0, "dog</w>": 30.0, "runs</w>": 30.0, ".</w>": 29.0}
    favour(folder, words | {"<end_of_text>": 26.0})
    return folder


def test_coca_writes_text_up_to_the_full_stop(coca: Path) -> None:
    captioner = open_captioner(f"coca:local-dir:{coca}")
    images = noise(4, 40)
    keys = [f"photo-{number}" for number in range(4)]
    found = captioner.caption(images, [{}] * 4, keys, 5)
    assert [len(texts) for texts in found] == [5] * 4
    texts = [text for group in found for text in group]
    written = [text for text in texts if text not in GENERIC]
    assert len(written) > 10
    assert {word for text in written for word in text.split()} == {"a", "dog", "runs"}
    assert len(set(written)) > 8


def test_coca_captions_depend_on_photo_and_key_alone(
    coca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = CocaCaptioner(f"local-dir:{coca}")
    images = noise(5, 40)
    keys = [f"photo-{number}" for number in range(5)]
    monkeypatch.setattr(coca_module, "_BATCH", 6)  # two photos at a time
    together = captioner.caption(images, [{}] * 5, keys, 3)
    torch.manual_seed(7)
    assert [one(captioner, i, k, 3) for i, k in zip(images, keys, strict=True)] == together
    assert one(captioner, images[0], keys[0], 2) == together[0][:2]
    assert one(captioner, images[0], "another", 3) != together[0]
    assert captioner.caption([], [], [], 3) == []


def test_coca_follows_the_decoder(tmp_path: Path) -> None:
    """A nucleus of one token is greedy decoding, done here by open_clip's forward pass."""
    folder = write_folder(tmp_path / "greedy", COCA)
    words = ["a", "the", "red", "blue", "big", "dog", "cat", "man", "car", "tree", "runs", "on"]
    favour(folder, {f"{word}</w>": 30.0 for word in words} | {"<end_of_text>": 30.0})
    images = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    found = CocaCaptioner(f"local-dir:{folder}", top_p=1e-9).caption(images, [{}] * 3, ["k"] * 3, 2)
    network = open_clip.create_model(f"local-dir:{folder}").eval()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    expected: list[str] = []
    for image in images:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255
        tokens = [tokenizer.sot_token_id]
        while len(tokens) < 29:
            with torch.inference_mode():
                scores = network(
                    ((pixels - mean) / std)[None], torch.tensor([tokens]), output_labels=False
                )["logits"][0, -1]
            scores = scores.clone()
            scores[tokenizer.sot_token_id] = -torch.inf
            if len(tokens) < 5:
                scores[tokenizer.eot_token_id] = -torch.inf
            tokens.append(int(scores.argmax()))
            if tokens[-1] == tokenizer.eot_token_id:
                break
        text = tokenizer.decode([t for t in tokens[1:] if t != tokenizer.eot_token_id])
        expected.append(text.split(".")[0].strip())
    assert [texts[0] for texts in found] == [texts[1] for texts in found] == expected
    assert len(set(expected)) == 3
    assert min(len(text.split()) for text in expected) > 3


def test_coca_digest(coca: Path) -> None:
    model = f"local-dir:{coca}"
    assert CocaCaptioner(model).digest == CocaCaptioner(model).digest
    assert CocaCaptioner(model).digest != CocaCaptioner(model, top_p=0.5).digest


def test_model_that_writes_nothing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "clip")
    with pytest.raises(ValueError, match="clip: does not write captions"):
        open_captioner(f"coca:local-dir:{folder}")


def test_nucleus_is_that_of_transformers() -> None:
    from transformers import TopPLogitsWarper

    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(1, 40, generator=random)
    kept = TopPLogitsWarper(0.9)(torch.zeros(1, 1, dtype=torch.long), logits)
    chances = torch.softmax(kept, dim=-1)[0]
    uniform = (torch.arange(5000, dtype=torch.float64) + 0.5) / 5000
    drawn = nucleus_sample(logits.expand(5000, -1), uniform, 0.9)
    shares = torch.bincount(drawn, minlength=40) / 5000
    assert 5 < int((chances > 0).sum()) < 40
    assert torch.equal(shares > 0, chances > 0)
    assert shares.tolist() == pytest.approx(chances.tolist(), abs=1e-3)
    ends = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    assert set(nucleus_sample(logits.expand(2, -1), ends, 1.0).tolist()) == {
        int(logits.argmax()),
        int(logits.argmin()),
    }


def test_specification_that_is_none() -> None:
    for spec in ("caption", "classifier:names.json", "detector:", "labels:more"):
        with pytest.raises(ValueError, match="detector:FILE"):
            open_captioner(spec)
