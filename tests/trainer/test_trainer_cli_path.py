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
from workshop import classifiers, make_workshop, refused, run, shallow_encoder

import trainer
from photosearch import Library
from photosearch.encoders import open_encoder
from trainer.data.corpus import Corpus
from trainer.data.photo_tars import decode, read_photos
from trainer.models import config as configs
from trainer.models.nano_image import load_tower
from trainer.teachers.embeddings import read_embeddings
from trainer.train.image import to_tensor

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
    def embeddings(self, place: Path, teacher: Result) -> Result:
        return self.embed(place)

    @staticmethod
    def embed(place: Path) -> Result:
        return run(
            "embed", *(place / f"{name}.tar" for name in ("train", "more", "val")),
            "--teacher", place / "teacher", *classifiers(place), "--views", 2,
            "--cache", place / "cache", "--out", place / "embeddings",
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def projection(self, place: Path, embeddings: Result) -> Result:
        return self.distil_projection(place, place / "projection")

    @staticmethod
    def distil_projection(place: Path, out: Path, *, cache: Path | None = None) -> Result:
        return run(
            "distil", "projection", "--photos", place / "train.tar", "--photos", place / "more.tar",
            "--validation", place / "val.tar", *classifiers(place),
            "--warm-start", place / "mobilenet.tflite", "--cache", cache or place / "cache",
            "--embeddings", place / "embeddings", "--steps", 40, "--batch-size", 12,
            "--learning-rate", 0.01, "--threads", 1, "--out", out,
        )  # fmt: skip

    @pytest.fixture(scope="class")
    def image(self, place: Path, projection: Result, corpus: Result) -> Result:
        return self.distil_image(place, weights(place / "projection"))

    @staticmethod
    def distil_image(place: Path, projection: Path) -> Result:
        return run(
            "distil", "image", "--photos", place / "train.tar", "--photos", place / "more.tar",
            "--validation", place / "val.tar", "--embeddings", place / "embeddings",
            "--corpus", place / "corpus", "--warm-start", place / "mobilenet.tflite",
            "--projection", projection, "--image-size", 64, "--workers", 0, "--steps", 3,
            "--batch-size", 6, "--learning-rate", 0.0001, "--threads", 1, "--out", place / "image",
        )  # fmt: skip

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
            "export", "--image", weights(place / "image"), "--text", weights(place / "text"),
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

    def test_embed(self, place: Path, embeddings: Result) -> None:
        succeeded(embeddings)
        files = [Path(line) for line in embeddings.stdout.splitlines()]
        names = [f"{tar}.view{view}.npz" for tar in ("train", "more", "val") for view in (0, 1)]
        assert [file.name for file in files] == names
        for file in files:
            tar = place / f"{file.name.partition('.')[0]}.tar"
            views, rows = read_embeddings(file, [photo.key for photo in read_photos(tar)], tar)
            assert rows.shape == (len(views), 384)
            assert np.linalg.norm(rows.astype(np.float32), axis=1) == pytest.approx(1, abs=2e-3)
        computed = {file: file.stat().st_mtime_ns for file in (place / "cache").iterdir()}
        succeeded(self.embed(place))
        assert {file: file.stat().st_mtime_ns for file in (place / "cache").iterdir()} == computed

    def test_embed_with_other_classifiers(self, place: Path, embeddings: Result) -> None:
        result = run(
            "embed", place / "more.tar", "--teacher", place / "teacher",
            "--classifier", place / "tiny.tflite", "--cache", place / "cache",
            "--out", place / "embeddings",
        )  # fmt: skip
        refused(result, 1, "teacher was taught on other classifiers; give, in order")

    def test_projection(self, place: Path, projection: Result) -> None:
        succeeded(projection)
        assert str(weights(place / "projection")) in projection.stdout
        assert figure(projection, "cosine") > 0.5
        again = self.distil_projection(place, place / "projection")
        succeeded(again)
        assert "going on from step 40" in again.stdout

    def test_projection_without_the_cached_features(
        self, place: Path, projection: Result, tmp_path: Path
    ) -> None:
        result = self.distil_projection(place, tmp_path / "out", cache=tmp_path / "cache")
        refused(result, 1, r"cache/val\.view0\.npz: no such file; run `teach` or `embed`")

    def test_image(self, place: Path, image: Result, projection: Result) -> None:
        succeeded(image)
        # A few small steps from where the projection stood: that has not been lost.
        assert figure(image, "cosine") > figure(projection, "cosine") - 0.1

    def test_image_from_something_else(self, place: Path, image: Result, tmp_path: Path) -> None:
        (tmp_path / "page.safetensors").write_text("<html>404 Not Found</html>")
        result = self.distil_image(place, tmp_path / "page.safetensors")
        refused(result, 1, r"page\.safetensors: not a weights file")
        result = self.distil_image(place, weights(place / "image"))
        refused(result, 1, r"model\..*: holds something else than this tower's projection alone")

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
        tower = load_tower(weights(place / "image"))
        settings = encoder.preprocess.settings
        size = (settings.size, settings.size)
        bicubic = Image.Resampling.BICUBIC
        seen = np.stack([np.asarray(photo.resize(size, bicubic)) for photo in photos])
        with torch.no_grad():
            ours = tower(to_tensor(torch.from_numpy(seen))).numpy()
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


def succeeded(result: Result) -> None:
    assert result.exit_code == 0, (result.output, result.exception)


def weights(folder: Path) -> Path:
    """What a finished run left."""
    (found,) = folder.glob("model.*")
    return found


def figure(result: Result, name: str) -> float:
    found = re.search(rf"^{name}: (-?[\d.]+)$", result.stdout, re.MULTILINE)
    assert found, result.stdout
    return float(found[1])
