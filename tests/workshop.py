"""The trainer's commands, and photos, captions and classifiers for them, all of them small."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image
from tars import sample, write_tar
from tiny_tflite import mobilenet_v2, random_mobilenet, random_network, write_classifier

from trainer.cli import main
from trainer.models import config as configs
from trainer.teachers.sentence import packaged_encoder
from trainer.torchvision_ops import ensure_torchvision

CLASSES = ("tabby cat", "espresso", "space suit", "rocket", "coin", "camera")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], prog_name="photosearch-trainer")


def succeeded(result: Result) -> None:
    assert result.exit_code == 0, (result.output, result.exception)


def refused(result: Result, code: int, message: str) -> None:
    """The run ended with this exit code and one line that says why."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert re.search(message, line), line


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


def shallow_encoder(folder: Path) -> Path:
    """all-MiniLM-L6-v2 without its layers: it embeds a whole vocabulary in no time."""
    ensure_torchvision()
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(packaged_encoder()), device="cpu")
    network = model[0].auto_model
    network.encoder.layer = network.encoder.layer[:0]
    network.config.num_hidden_layers = 0
    model.save(str(folder))
    return folder


def make_workshop(place: Path, pictures: Path) -> Path:
    """Fill the folder: twelve pieces of pictures with captions, six without, six to measure on.

    Two classifiers, class names, sentences and a small WordNet lie beside them.
    """
    photos, captions = [], []
    for name, file in zip(CLASSES, sorted(pictures.iterdir()), strict=True):
        picture = Image.open(file).convert("RGB").resize((160, 120))
        photos += [picture.crop((40 * n, 20, 40 * n + 60, 110)) for n in (0, 1, 2)] + [picture]
        captions += [[f"A {name} .", f"part {n} of a photo of a {name}"] for n in range(4)]
    everything = {f"photo{number:02}": photo for number, photo in enumerate(photos)}
    said = {f"photo{number:02}": texts for number, texts in enumerate(captions)}
    for tar, parts in (("train.tar", (0, 1)), ("more.tar", (2,)), ("val.tar", (3,))):
        chosen = {key: everything[key] for key in everything if int(key[-2:]) % 4 in parts}
        members: list[tuple[str, bytes]] = []
        for key, photo in chosen.items():
            members += sample(key, photo, None if tar == "more.tar" else {"captions": said[key]})
        write_tar(place / tar, members)
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
