"""`photosearch-trainer concepts`: a bundle that sees more things than it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from colour_bundle import COLOURS, DIM, SIZE, write_bundle
from networks import network
from onnx import TensorProto, helper
from PIL import Image
from tars import sample, write_tar
from workshop import refused, run

from photosearch.encoders import Bundle, open_encoder, write_manifest
from trainer.concepts.names import Names
from trainer.concepts.targets import targets

pytestmark = pytest.mark.slow

CARD = """
name = "colours"
version = "2"
summary = "Colours, and what has them."
intended_use = ["tests"]
not_for = ["anything else"]
training = ["by hand"]
weaknesses = ["all"]
licence = "none"
data = [{ name = "squares", amount = "some", use = "tests", licence = "none" }]
teachers = [{ name = "none", role = "none", licence = "none" }]

[details]
"Architecture" = "by hand"
"""


def with_a_head(folder: Path) -> Path:
    """The bundle of colours, whose network has a head on features as towers of ours have.

    It takes all pictures for red or green; how blue they are is no more than a feature.
    """
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("Sub", ["colour", "head.mean"], ["centred"]),
        helper.make_node("Div", ["centred", "head.std"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "least", "most"], ["features"]),
        helper.make_node("MatMul", ["features", "widen"], ["placed"]),
        helper.make_node("ReduceL2", ["placed"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Div", ["placed", "length"], ["embedding"]),
    ]
    weights = {
        "head.mean": np.zeros(3),
        "head.std": np.full(3, 0.5),
        "least": np.array(-6.0),
        "most": np.array(6.0),
        "widen": np.diag([1.0, 1.0, 0.05]) @ np.eye(3, DIM),
    }
    shape = ["n", 3, SIZE, SIZE]
    fields = Bundle.open(write_bundle(folder)).fields
    onnx.save(network(nodes, "image", TensorProto.FLOAT, shape, weights), folder / "image.onnx")
    write_manifest(folder, fields)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("concepts")
    with_a_head(place / "bundle")
    (place / "card.toml").write_text(CARD)
    rng = np.random.default_rng(0)

    def photos(name: str, colours: list[str], meta: str) -> None:
        members = []
        for number, colour in enumerate(colours):
            shade = np.clip(np.array(COLOURS[colour]) * 0.9 + rng.normal(0, 9, 3), 0, 255)
            picture = Image.new("RGB", (40, 20), tuple(map(int, shade)))
            text = f"a {colour} square" if meta == "captions" else colour
            members += sample(
                f"{name}{number}", picture, {meta: [text] if meta == "captions" else text}
            )
        write_tar(place / f"{name}.tar", members)

    photos("captioned", ["red", "green"] * 20, "captions")
    photos("labelled", ["purple", "yellow"] * 12, "label")
    photos("gate", ["red", "green"], "captions")
    return place


def concepts(place: Path, out: str, *more: object) -> object:
    return run(
        *("concepts", place / "bundle", "--captioned", place / "captioned.tar"),
        *("--labelled", place / "labelled.tar", "--gate", place / "gate.tar"),
        *("--card", place / "card.toml", "--cache", place / "cache", "--out", place / out, *more),
    )


def test_what_labels_name_is_found_and_other_photos_keep_their_vectors(place: Path) -> None:
    result = concepts(place, "more")
    assert result.exit_code == 0, result.output
    assert "2 concepts: purple, yellow\n" in result.stdout
    assert "R@10 on gate.tar: 100.00%, without them 100.00%" in result.stdout
    before, after = open_encoder(place / "bundle"), open_encoder(place / "more")
    assert after.bundle_id.startswith("colours-2-")
    shown = [Image.new("RGB", (40, 20), COLOURS[name]) for name in ("red", "green", "purple")]
    old, new = before.encode_images(shown), after.encode_images(shown)
    np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(new[:2], old[:2], atol=1e-3)
    asked = after.encode_texts(["purple"])[0]
    assert new[2] @ asked > old[2] @ asked + 0.05
    # It has them now; what was seen is kept, and nothing is looked at again.
    kept = {path: path.stat().st_mtime_ns for path in (place / "cache").iterdir()}
    assert concepts(place, "again").exit_code == 0
    assert (place / "again" / "image.onnx").read_bytes() == (
        place / "more" / "image.onnx"
    ).read_bytes()
    assert kept == {path: path.stat().st_mtime_ns for path in (place / "cache").iterdir()}


def test_what_cannot_be_added_is_refused(place: Path, colours: Path) -> None:
    refused(concepts(place, "no", "--least", 13), 1, "no label is that of 13 photos")
    result = run(
        *("concepts", colours, "--captioned", place / "captioned.tar"),
        *("--labelled", place / "labelled.tar", "--gate", place / "gate.tar"),
        *("--card", place / "card.toml", "--cache", place / "cache", "--out", place / "no"),
    )
    refused(result, 1, "no image network with a head on classifiers")
    assert not (place / "no").exists()


def test_labels_are_read_as_what_they_mean() -> None:
    names = Names.packaged()
    assert names.of({"source": "caltech101", "label": "car side"}) == ["car"]
    assert names.of({"source": "flowers", "label": "tulips"}) == ["tulip", "flower"]
    assert names.of({"source": "sroie_receipts", "label": "sroie receipts"}) == [
        *("receipt", "document", "printed text")
    ]
    shelf = {"source": "grocery_store", "label": "Garant-Ecological-Standard-Milk"}
    assert names.of(shelf) == ["milk", "carton"]
    assert names.of({"source": "grocery_store", "label": "Passion-Fruit"}) == [
        *("passion fruit", "fruit")
    ]
    assert names.of({"labels": ["moon", "the surface of the moon"]}) == [
        *("moon", "the surface of the moon")
    ]
    assert names.of({"source": "imagenette", "label": "golf ball"}) == []
    assert names.of({"source": "coco"}) is None


def test_captions_say_what_a_photo_shows_and_what_is_open() -> None:
    metas = [
        {"label": "tulip"},
        {"label": "electric guitar"},
        {"captions": ["Tulips on a table"]},
        {"captions": ["a man with a guitar"]},
        {"source": "coco"},
    ]
    found = targets(metas, Names(skip=["coco"]), least=1)
    assert found.names == ["electric guitar", "tulip"]
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.shown.tolist() == [[False, True], [True, False], [False, True], [False, False]]
    assert found.sure.tolist() == [[True, True], [True, True], [True, True], [False, True]]


def test_a_tulip_is_a_flower_too() -> None:
    def embed(texts: object) -> np.ndarray:
        return np.stack([np.eye(4)[["tulip", "flower", "carton", "other"].index(t)] for t in texts])

    names = Names(half=["carton"], also={"tulip": ["flower"]})
    rows = names.rows(["tulip", "carton"], embed)
    np.testing.assert_allclose(rows[0], np.array([1, 0.7, 0, 0]) / np.hypot(1, 0.7), atol=1e-6)
    np.testing.assert_allclose(rows[1], [0, 0, 0.5, 0])
