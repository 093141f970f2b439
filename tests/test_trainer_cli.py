"""`photosearch-trainer` as its user meets it: help, errors, and all the steps to a bundle."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from tiny_tflite import mobilenet_v2, random_mobilenet, random_network, write_classifier

from photosearch import Library
from photosearch.encoders import open_encoder
from trainer.cli import main
from trainer.data.corpus import Corpus
from trainer.data.photo_tars import decode, read_photos
from trainer.models import config as configs
from trainer.models.nano_image import load_tower
from trainer.teachers.embeddings import read_embeddings
from trainer.teachers.sentence import packaged_encoder
from trainer.torchvision_ops import ensure_torchvision
from trainer.train.image import to_tensor

REPOSITORY = Path(__file__).parents[1]
CLASSES = ("tabby cat", "espresso", "space suit", "rocket", "coin", "camera")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], prog_name="photosearch-trainer")


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, groups and their subcommands last."""
    groups: list[tuple[tuple[str, ...], click.Group]] = [((), main)]
    while groups:
        path, group = groups.pop()
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None, f"{name} is listed and not there"
            yield (*path, name), found
            if isinstance(found, click.Group):
                groups.append(((*path, name), found))


NAMES = [path for path, _ in commands()]


class TestHelp:
    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_of_each_command(self, path: tuple[str, ...]) -> None:
        result = run(*path, "--help")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"Usage: photosearch-trainer {' '.join(path)}")
        description = result.stdout.partition("\n\n")[2].partition("\n\n")[0].strip()
        assert re.match(r"[A-Z].*[.:]$", description, re.DOTALL), "begins with no sentence"
        result = run(*path[:-1], "--help")
        assert re.search(rf"^  {path[-1]} +[A-Z]", result.stdout, re.MULTILINE)

    def test_needs_nothing_heavy(self) -> None:
        """Torch takes seconds to load; asking what there is must not."""
        program = (
            "import sys\n"
            "from trainer.cli import main\n"
            f"for path in {[['--help'], *([*path, '--help'] for path in NAMES)]}:\n"
            "    main(path, standalone_mode=False)\n"
            "heavy = 'torch timm open_clip onnxruntime transformers ray'.split()\n"
            "sys.exit(' '.join(name for name in heavy if name in sys.modules) or None)\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=300
        )
        assert (result.returncode, result.stderr) == (0, "")


class TestDocumentation:
    TEXT = (REPOSITORY / "docs" / "trainer.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_names_each_command(self, path: tuple[str, ...]) -> None:
        table = [line for line in self.TEXT.splitlines() if line.startswith("| `")]
        assert any(f"`{' '.join(path)}" in line for line in table), "is not in the table"

    def test_gives_options_that_exist(self) -> None:
        known = dict(commands())
        shown = 0
        for block in re.findall(r"^```sh\n(.*?)^```", self.TEXT, re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if "photosearch-trainer" not in words:
                    continue
                words = words[words.index("photosearch-trainer") + 1 :]
                depth = 2 if isinstance(known[words[0],], click.Group) else 1
                command = known[tuple(words[:depth])]
                options = {name for parameter in command.params for name in parameter.opts}
                for word in words[depth:]:
                    if word.startswith("--"):
                        assert word in options, f"{' '.join(words[:depth])} has no {word}"
                        shown += 1
        assert shown > 20


def refused(result: Result, code: int, message: str) -> None:
    """The run ended with this exit code and one line that says why."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert re.search(message, line), line


def write_tar(path: Path, photos: dict[str, Image.Image], captions: dict[str, list[str]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for key, photo in photos.items():
            data = io.BytesIO()
            photo.save(data, "PNG")
            files = [(f"{key}.png", data.getvalue())]
            if key in captions:
                files.append((f"{key}.json", json.dumps({"captions": captions[key]}).encode()))
            for name, content in files:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def write_wordnet(folder: Path) -> Path:
    """A few synsets in the format of wndb(5WN)."""
    folder.mkdir()
    licence = "  1 This software and database is being provided to you, the LICENSEE\n"
    nouns = ("cat 0 true_cat 0", "rocket 0 projectile 0", "coffee_cup 0 cup 0")
    lines = (
        f"{number:08} 05 n 02 {words} 001 @ 00000001 n 0000 | meaning of noun {number}  \n"
        for number, words in enumerate(nouns)
    )
    (folder / "data.noun").write_text(licence + "".join(lines))
    (folder / "data.verb").write_text(licence + "00000001 29 v 01 run 0 000 01 + 02 00 | move\n")
    (folder / "data.adj").write_text(licence + "00000001 00 a 01 alive(p) 0 000 | living\n")
    return folder


def classifiers(place: Path) -> list[object]:
    return ["--classifier", place / "tiny.tflite", "--classifier", place / "mobilenet.tflite"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """Twelve pieces of pictures with captions, six without, six to measure on; two classifiers."""
    place = tmp_path_factory.mktemp("workshop")
    photos, captions = [], []
    for name, file in zip(CLASSES, sorted(pictures.iterdir()), strict=True):
        picture = Image.open(file).convert("RGB").resize((160, 120))
        photos += [picture.crop((40 * n, 20, 40 * n + 60, 110)) for n in (0, 1, 2)] + [picture]
        captions += [[f"A {name} .", f"part {n} of a photo of a {name}"] for n in range(4)]
    everything = {f"photo{number:02}": photo for number, photo in enumerate(photos)}
    said = {f"photo{number:02}": texts for number, texts in enumerate(captions)}
    for tar, parts in (("train.tar", (0, 1)), ("more.tar", (2,)), ("val.tar", (3,))):
        chosen = {key: everything[key] for key in everything if int(key[-2:]) % 4 in parts}
        write_tar(place / tar, chosen, {} if tar == "more.tar" else said)
    seen = np.stack([np.asarray(photo.resize((64, 64))) for photo in photos])
    random = np.random.default_rng(0)
    backbone = random_mobilenet(seen)
    network = mobilenet_v2(backbone, len(CLASSES), random)
    write_classifier(place / "mobilenet.tflite", network, seen)
    small = random_network(random, len(CLASSES))
    write_classifier(place / "tiny.tflite", small, seen[:, ::2, ::2], scheme="int8")
    (place / "names.json").write_text(json.dumps(CLASSES))
    (place / "lines.txt").write_text(
        "".join(f"A sentence about coin number {n} .\n" for n in range(30))
    )
    write_wordnet(place / "wordnet")
    # The bundled model's shape with less of everything, so that steps take no time.
    nano = configs.load_config("MobileCLIP-Nano")
    narrow: dict[str, Any] = {
        "source": nano.source,
        "dim": nano.dim,
        "image": dataclasses.asdict(nano.image) | {"size": 64, "hidden": 32},
        "text": dataclasses.asdict(nano.text) | {"width": 32, "heads": 2, "layers": 1},
    }
    (place / "configs").mkdir()
    (place / "configs" / "MobileCLIP-Nano.json").write_text(json.dumps(narrow))
    return place


class TestRefusals:
    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_of_a_missing_file(self, path: tuple[str, ...], tmp_path: Path) -> None:
        """Each option that takes a file that must exist says so, before anything is loaded."""
        command = dict(commands())[path]
        gone = tmp_path / "gone"
        for parameter in command.params:
            if not (isinstance(parameter.type, click.Path) and parameter.type.exists):
                continue
            words = [gone] if isinstance(parameter, click.Argument) else [parameter.opts[0], gone]
            result = run(*path, *words)
            # Or else of another required option, which click happened to look at first.
            refused(result, 2, rf"'?{re.escape(str(gone))}'? does not exist|Missing option")

    def test_in_a_real_process(self, tmp_path: Path) -> None:
        program = Path(sys.executable).parent / "photosearch-trainer"
        arguments = ["distil", "text", "--corpus", tmp_path / "gone", "--out", tmp_path / "out"]
        numbers = ["--steps", "1", "--batch-size", "2", "--learning-rate", "1"]
        result = subprocess.run(
            [program, *map(str, arguments), *numbers], capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 1
        assert result.stderr == f"Error: {tmp_path}/gone/texts.txt.gz: no such text file\n"
        assert result.stdout == ""

    def test_corpus(self, place: Path, tmp_path: Path) -> None:
        given = ["corpus", "--captioned", place / "train.tar", "--out", tmp_path / "out"]
        named = [*given, "--class-names", place / "names.json"]
        result = run(*named, "--wordnet", tmp_path)
        refused(result, 1, "data.noun: no WordNet here; install Debian's wordnet-base")
        (tmp_path / "names.json").write_text('{"0": "cat"}')
        result = run(*given, "--class-names", tmp_path / "names.json")
        refused(result, 1, "names.json: not a JSON list of class names")
        (tmp_path / "lines.txt.gz").write_text("not compressed\n")
        result = run(
            *named, "--wordnet", place / "wordnet", "--sentences", tmp_path / "lines.txt.gz"
        )
        refused(result, 1, "lines.txt.gz: not a text file, plain or gzipped")
        result = run(
            *named, "--wordnet", place / "wordnet", "--sentence-encoder", tmp_path / "gone"
        )
        refused(result, 1, "gone: no sentence encoder here")
        (tmp_path / "photos.tar").write_bytes(b"no tar" * 1000)
        result = run(*named, "--captioned", tmp_path / "photos.tar", "--wordnet", place / "wordnet")
        refused(result, 1, "photos.tar: damaged")

    def test_teach(self, place: Path, tmp_path: Path) -> None:
        into = ["--cache", tmp_path / "cache", "--out", tmp_path / "out"]
        given = [
            "teach",
            "--captioned",
            place / "train.tar",
            "--class-names",
            place / "names.json",
            *into,
        ]
        result = run(*given, "--classifier", place / "names.json")
        refused(result, 1, r"names\.json: not a usable \.tflite file")
        (tmp_path / "two.json").write_text('["cat", "dog"]')
        result = run(*given, *classifiers(place), "--class-names", tmp_path / "two.json")
        refused(result, 1, r"two\.json: 2 names, but .*tiny\.tflite has 6 classes")
        assert not (tmp_path / "cache").exists()
        result = run(
            "teach", "--captioned", place / "more.tar", "--class-names", place / "names.json",
            *classifiers(place), *into,
        )  # fmt: skip
        refused(result, 1, "photo02 has no captions")
        assert not (tmp_path / "out").exists()

    def test_embed(self, place: Path, tmp_path: Path) -> None:
        given = ["embed", place / "more.tar", *classifiers(place), "--cache", tmp_path / "cache"]
        result = run(*given, "--teacher", tmp_path, "--out", tmp_path / "out")
        refused(result, 1, "no teacher here .* make one with `photosearch-trainer teach`")

    def test_distil(self, place: Path, tmp_path: Path) -> None:
        shared = [
            "--steps", 1, "--batch-size", 2, "--learning-rate", 0.1, "--out", tmp_path / "out",
        ]  # fmt: skip
        Corpus(["a cat"], ["cat"], ["A cat ."]).save(tmp_path / "corpus")
        result = run("distil", "text", "--corpus", tmp_path / "corpus", *shared)
        refused(result, 1, r"texts\.npy: holds 0 of 1 embeddings, and no encoder")
        photos = [
            "--photos", place / "train.tar", "--validation", place / "val.tar",
            "--embeddings", tmp_path / "embeddings",
        ]  # fmt: skip
        features = [*photos, *classifiers(place), "--cache", tmp_path / "cache"]
        result = run(
            "distil", "projection", *features, "--warm-start", place / "names.json", *shared
        )
        refused(result, 1, r"names\.json: is none of the classifiers")
        result = run(
            "distil", "projection", *features, "--warm-start", place / "tiny.tflite", *shared
        )
        refused(result, 1, "embeddings: no embeddings of these photos; run `embed`")
        result = run("distil", "image", *photos, "--corpus", tmp_path / "corpus", *shared)
        refused(result, 1, r"embeddings: no embeddings of train\.tar; run `embed`")
        assert not list(tmp_path.glob("out/model.*"))


class TestFromPhotosToABundle:
    """One run of all the steps; each test then looks at what one of them made."""

    @pytest.fixture(scope="class", autouse=True)
    def narrow_model(self, place: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(configs, "_FOLDER", place / "configs")
            yield

    @pytest.fixture(scope="class")
    def shallow(self, place: Path) -> Path:
        """all-MiniLM-L6-v2 without its layers: it embeds a whole vocabulary in no time."""
        ensure_torchvision()
        from sentence_transformers import SentenceTransformer

        model: Any = SentenceTransformer(str(packaged_encoder()), device="cpu")
        network = model[0].auto_model
        network.encoder.layer = network.encoder.layer[:0]
        network.config.num_hidden_layers = 0
        model.save(str(place / "shallow"))
        return place / "shallow"

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
            "--card", REPOSITORY / "trainer" / "export" / "cards" / "mobileclip-nano.toml",
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
