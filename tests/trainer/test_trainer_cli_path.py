"""The trainer's commands one after the other, from photos to a bundle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from workshop import classifiers, make_workshop, refused, run, shallow_encoder, succeeded

import trainer
from photosearch import Library
from photosearch.encoders import open_encoder
from trainer.data.corpus import Corpus
from trainer.data.photo_tars import decode, read_photos
from trainer.models import config as configs
from trainer.models.family import build_image_tower
from trainer.models.nano_image import NanoImageTower
from trainer.models.state import read_state
from trainer.models.warm_start import warm_start
from trainer.train.pixels import normalised

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    return make_workshop(tmp_path_factory.mktemp("workshop"), pictures)


class TestFromPhotosToABundle:
    """One run of all the steps; each test then looks at what one of them made."""

    @pytest.fixture(scope="class", autouse=True)
    def narrow_model(self, place: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(configs, "_FOLDER", place / "configs")
            yield

    @pytest.fixture(scope="class")
    def shallow(self, place: Path) -> Path:
        return shallow_encoder(place / "shallow")

    @pytest.fixture(scope="class")
    def corpus(self, place: Path) -> Result:
        return run(
            "corpus", "--sentences", place / "lines.txt", "--captioned", place / "train.tar",
            "--class-names", place / "names.json", "--wordnet", place / "wordnet",
            "--out", place / "corpus",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def teacher(self, place: Path) -> Result:
        return run(
            "teach", "--captioned", place / "train.tar", "--validation", place / "val.tar",
            *classifiers(place), "--class-names", place / "names.json", "--views", 1, "--seeds", 1,
            "--cache", place / "cache", "--out", place / "teacher",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def projection(self, place: Path, teacher: Result) -> Result:
        return self.distil_projection(place)

    @staticmethod
    def distil_projection(place: Path) -> Result:
        return run(
            "distil", "projection", "--photos", place / "train.tar", "--photos", place / "more.tar",
            "--validation", place / "val.tar", *classifiers(place),
            "--warm-start", place / "mobilenet.tflite", "--teacher", place / "teacher",
            "--views", 2, "--cache", place / "cache", "--steps", 40, "--batch-size", 12,
            "--learning-rate", 0.01, "--threads", 1, "--out", place / "projection",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def shards(self, place: Path, teacher: Result) -> Result:
        files = f"{place / 'tiny.tflite'},{place / 'mobilenet.tflite'}"
        return run(
            "reinforce", *(place / f"{name}.tar" for name in ("train", "more", "val")),
            "--teacher", f"bootstrap:{place / 'teacher'}:{files}", "--views", 2, "--whole-first",
            "--crop-scale", 0.35, 1, "--randaugment-ops", 0, "--view-size", 64, "--quiet",
            "--out", place / "shards",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def image(self, place: Path, shards: Result, projection: Result, corpus: Result, text: Result
    ) -> Result:  # fmt: skip
        return self.train_image(place, place / "image", weights(place / "projection"))

    @staticmethod
    def train_image(place: Path, out: Path, projection: Path) -> Result:
        shards = [str(place / "shards" / f"{name}.tar") for name in ("train", "more", "val")]
        sets = [
            f"model.image_init={place / 'mobilenet.tflite'}", f"model.projection_init={projection}",
            f"model.text_init={weights(place / 'text')}", f"data.train={json.dumps(shards[:2])}",
            f"data.agreement={json.dumps(shards[2:])}", "data.image_size=64",
            f"loss.bank_file={place / 'corpus' / 'texts.npy'}", "loss.bank_rows=50",
            "optimizer.learning_rate=1e-4", "schedule.warmup=0", "run.steps=3", "run.batch=6",
            "run.workers=0", "run.threads=1",
        ]  # fmt: skip
        return run("train", "nano-image", "--out", out, *(w for s in sets for w in ("--set", s)))

    @pytest.fixture(scope="class")
    def text(self, place: Path, corpus: Result, shallow: Path) -> Result:
        return run(
            "distil", "text", "--corpus", place / "corpus", "--sentence-encoder", shallow,
            "--steps", 20, "--batch-size", 16, "--learning-rate", 0.002, "--threads", 1,
            "--out", place / "text",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def bundle(self, place: Path, image: Result, text: Result) -> Result:
        return run(
            "export", "--run", place / "image",
            "--card", Path(trainer.__file__).parent / "export" / "cards" / "mobileclip-nano.toml",
            "--out", place / "bundle",
        )  # fmt: skip

    def test_corpus(self, place: Path, corpus: Result) -> None:
        succeeded(corpus)
        lists = Corpus.load(place / "corpus").lists()
        said = [int(number) for number in re.findall(r"\d+", corpus.stdout)]
        assert said == [len(texts) for texts in lists.values()]
        # The lists are so short that all nouns and all sentences are held out.
        assert {"true cat", "coffee cup"} <= set(lists["held_out_nouns"])
        assert {"A coin .", "A sentence about coin number 7 ."} <= set(lists["held_out_sentences"])
        assert {"meaning of noun 2", "alive", "a photo of a rocket"} <= set(lists["texts"])
        for name, texts in lists.items():
            table = np.load(place / "corpus" / f"{name}.npy")
            assert table.shape == (len(texts), 384)
            assert np.linalg.norm(table.astype(np.float32), axis=1) == pytest.approx(1, abs=2e-3)

    def test_teach(self, teacher: Result, place: Path) -> None:
        succeeded(teacher)
        assert "val.tar, gallery of 6: R@1 " in teacher.stdout
        about = json.loads((place / "teacher" / "teacher.json").read_text())
        assert len(about["classifiers"]) == 2

    def test_projection(self, place: Path, projection: Result) -> None:
        succeeded(projection)
        assert str(weights(place / "projection")) in projection.stdout
        assert figure(projection, "cosine") > 0.5
        computed = {file: file.stat().st_mtime_ns for file in (place / "cache").iterdir()}
        names = {f"{tar}.view{view}.npz" for tar in ("train", "more") for view in (0, 1)}
        assert names < {file.name for file in computed}
        again = self.distil_projection(place)
        succeeded(again)
        assert "going on from step 40" in again.stdout
        assert {file: file.stat().st_mtime_ns for file in (place / "cache").iterdir()} == computed

    def test_image(self, place: Path, image: Result, shards: Result, projection: Result) -> None:
        succeeded(shards)
        succeeded(image)
        # A few small steps from where the projection stood: that has not been lost.
        assert figure(image, "image_cosine") > figure(projection, "cosine") - 0.1
        state = read_state(weights(place / "image"))
        # The norms of the classifier are plain biases, which are calibrated first, and then kept.
        before = NanoImageTower(dim=1, hidden=1).backbone
        warm_start(before, place / "mobilenet.tflite")
        plain = {f"visual.backbone.{name}": value for name, value in before.state_dict().items()}
        statistics = [name for name in plain if "running_" in name]
        assert len(statistics) == 2 * 52
        assert not any(torch.equal(state[name], plain[name]) for name in statistics)
        text = read_state(weights(place / "text"))
        assert all(torch.equal(state[f"text.{name}"], value) for name, value in text.items())

    def test_image_from_something_else(self, place: Path, image: Result, tmp_path: Path) -> None:
        (tmp_path / "page.safetensors").write_text("<html>404 Not Found</html>")
        result = self.train_image(place, tmp_path / "out", tmp_path / "page.safetensors")
        refused(result, 1, r"page\.safetensors: not a weights file")
        result = self.train_image(place, tmp_path / "out", weights(place / "text"))
        refused(result, 1, r"model\..*: not the weights of this projection")

    def test_text(self, place: Path, text: Result) -> None:
        succeeded(text)
        assert figure(text, "cosine_nouns") > 0.1
        assert np.load(place / "text" / "tokens.npy", mmap_mode="r").shape == (49408, 384)
        assert weights(place / "text").is_file()

    def test_bundle_opens(self, place: Path, bundle: Result) -> None:
        succeeded(bundle)
        encoder = open_encoder(place / "bundle")
        assert encoder.bundle_id in bundle.stdout
        photos = [decode(sample) for sample in read_photos(place / "val.tar")]
        rows = encoder.encode_images(photos)
        assert rows.shape == (6, 384)
        # The image tower of the bundle is the one that was trained.
        config = configs.load_config("MobileCLIP-Nano")
        tower = build_image_tower(config.image, config.dim).eval()
        state = read_state(weights(place / "image"))
        tower.load_state_dict(
            {n.removeprefix("visual."): v for n, v in state.items() if n.startswith("visual.")}
        )
        settings = encoder.preprocess.settings
        size = (settings.size, settings.size)
        bicubic = Image.Resampling.BICUBIC
        seen = np.stack([np.asarray(photo.resize(size, bicubic)) for photo in photos])
        with torch.no_grad():
            ours = tower(normalised(torch.from_numpy(seen), config.image)).numpy()
        ours /= np.linalg.norm(ours, axis=1, keepdims=True)
        assert (ours * rows).sum(1).min() > 0.999

    def test_bundle_is_measured(self, place: Path, bundle: Result, tmp_path: Path) -> None:
        file = tmp_path / "figures.json"
        result = run(
            "evaluate",
            place / "bundle",
            "--captioned",
            place / "val.tar",
            "--json",
            file,
            "--quiet",
        )
        succeeded(result)
        report = json.loads(file.read_text())
        assert report["bundle"] == open_encoder(place / "bundle").bundle_id
        figures = {(each["task"], each["metric"]): each for each in report["metrics"]}
        measured = figures["text to photo", "R@1"]
        assert (measured["gallery"], measured["queries"]) == (6, 12)
        assert 0 <= measured["value"] <= 1

    def test_bundle_searches(
        self, place: Path, bundle: Result, pictures: Path, tmp_path: Path
    ) -> None:
        with Library.open(tmp_path / "library", model=place / "bundle") as library:
            for _ in library.index([pictures], workers=1):
                pass
            hits = library.search("a photo of a rocket", limit=3)
            assert len(hits) == 3
            assert {Path(hit.path).name for hit in hits} <= {f.name for f in pictures.iterdir()}
            encoder = open_encoder(place / "bundle")
            images = encoder.encode_images(
                [Image.open(file).convert("RGB") for file in sorted(pictures.iterdir())]
            )
            (query,) = encoder.encode_texts(["a photo of a rocket"])
            scores = dict(
                zip(sorted(f.name for f in pictures.iterdir()), images @ query, strict=True)
            )
            # After so few steps photos are too much alike for their order to be always the same.
            for hit in hits:
                assert hit.score == pytest.approx(scores[Path(hit.path).name], abs=1e-3)


def weights(folder: Path) -> Path:
    """What a finished run left."""
    (found,) = folder.glob("model.*")
    return found


def figure(result: Result, name: str) -> float:
    found = re.search(rf"^{name}: (-?[\d.]+)$", result.stdout, re.MULTILINE)
    assert found, result.stdout
    return float(found[1])
