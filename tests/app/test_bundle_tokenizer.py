"""Bundles with a tokenizer of their own: what they say of it, their id, and what they encode."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from bundles import change, refused
from manifest import bundle_fields
from networks import network
from onnx import TensorProto, helper
from own_tokenizers import VOCABULARY, bert, by_the_library, edited, unigram, write

from photosearch.encoders import Bundle, open_encoder, open_tokenizer, write_manifest
from photosearch.encoders.store import BundleStore
from photosearch.errors import BundleError

DIM = 12
TABLE = np.random.default_rng(5).normal(size=(len(VOCABULARY), DIM)).astype(np.float32)
TABLE[0] = 0  # padding counts for nothing
TEXTS = ["a dog", "Zürich!", "", "the red car, the red bus and the dogs", "犬"]


def fields(**changes: Any) -> dict[str, Any]:
    text = {"context_length": 9, "tokenizer": "tokenizer.json", "pad_id": 0, "padding": "longest"}
    return bundle_fields(size=64, context=9, dim=DIM, text=text | changes)


def sum_network(length: int | str, table: np.ndarray = TABLE) -> onnx.ModelProto:
    """The sum of the tokens' vectors."""
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["vectors"]),
        helper.make_node("ReduceSum", ["vectors", "axis"], ["embedding"], keepdims=0),
    ]
    weights = {"table": table, "axis": np.array([1])}
    return network(nodes, "tokens", TensorProto.INT64, ["n", length], weights)


@pytest.fixture(scope="module")
def whole(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle with a word-piece tokenizer, only to be looked at."""
    folder = tmp_path_factory.mktemp("own") / "bundle"
    folder.mkdir()
    shutil.copyfile(tiny_bundle / "image.onnx", folder / "image.onnx")
    onnx.save(sum_network("length"), folder / "text.onnx")
    write(bert(), folder)
    write_manifest(folder, fields())
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(whole, tmp_path / "bundle")


def test_texts_are_encoded_by_its_tokens(whole: Path) -> None:
    ids = by_the_library(whole / "tokenizer.json", TEXTS, 9)
    sums = np.stack([TABLE[row].sum(0) for row in ids])
    expected = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    encoder = open_encoder(whole)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), expected, atol=1e-6)
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, expected, atol=1e-6)
    assert open_tokenizer(Bundle.open(whole))(TEXTS).shape == (5, 9)


def test_rows_may_be_padded_to_the_context(folder: Path) -> None:
    expected = open_encoder(folder).encode_texts(TEXTS)
    onnx.save(sum_network(9), folder / "text.onnx")
    write_manifest(folder, fields(padding="max_length"))
    np.testing.assert_allclose(open_encoder(folder).encode_texts(TEXTS), expected, atol=1e-6)


def test_any_kind_that_the_library_reads_will_do(folder: Path) -> None:
    path = write(unigram(), folder)
    encoder = open_encoder(write_manifest(folder, fields()).folder)
    (ids,) = by_the_library(path, ["red dog"], 9)
    expected = TABLE[ids].sum(0)
    found = encoder.encode_texts(["red dog"])[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_a_network_of_fixed_length_takes_no_short_rows(folder: Path) -> None:
    onnx.save(sum_network(9), folder / "text.onnx")
    encoder = open_encoder(write_manifest(folder, fields()).folder)
    with pytest.raises(BundleError, match=r"text\.onnx: does not take or give what"):
        encoder.encode_texts(["a dog"])


def test_tokens_that_the_network_has_not(folder: Path) -> None:
    """Of the same kind, but for another model."""
    onnx.save(sum_network("length", TABLE[:9]), folder / "text.onnx")
    encoder = open_encoder(write_manifest(folder, fields()).folder)
    with pytest.raises(BundleError, match=r"text\.onnx: cannot take the tokens that tokenizer\.js"):
        encoder.encode_texts(["the red dog"])


def test_the_stores_copy_has_it(whole: Path, tmp_path: Path) -> None:
    copied = BundleStore(tmp_path / "models").add(whole)
    np.testing.assert_array_equal(
        open_encoder(copied.folder).encode_texts(TEXTS), open_encoder(whole).encode_texts(TEXTS)
    )


class TestId:
    @pytest.mark.parametrize(
        ("key", "value"), [("context_length", 8), ("pad_id", 1), ("padding", "max_length")]
    )
    def test_covers_how_it_is_used(self, folder: Path, key: str, value: Any) -> None:
        before = Bundle.open(folder).id
        change(folder, lambda manifest: manifest["text"].update({key: value}))
        assert Bundle.open(folder).id != before

    def test_covers_its_words(self, folder: Path) -> None:
        before = Bundle.open(folder).id
        edited(folder / "tokenizer.json", lambda content: content["model"]["vocab"].update(dog=9))
        assert write_manifest(folder, fields()).id != before

    def test_is_as_ever_with_clips(self, bundle_copy: Path, manifest_fields: Any) -> None:
        """Vectors that libraries hold are stored under it, whatever lies beside the networks."""
        before = Bundle.open(bundle_copy).id
        write(bert(), bundle_copy)
        assert write_manifest(bundle_copy, manifest_fields).id == before

    def test_stays_what_it_was(self, tmp_path: Path) -> None:
        """Written down, since a change of how it is made would orphan the vectors of everybody."""
        for name in ("image.onnx", "text.onnx"):
            (tmp_path / name).write_bytes(name.encode())
        clip = bundle_fields(size=64, context=16, dim=32)
        assert write_manifest(tmp_path, clip).id == "tiny-1-7898f61b1c17"
        (tmp_path / "tokenizer.json").write_bytes(b"{}")
        assert write_manifest(tmp_path, fields()).id == "tiny-1-3cbc60281489"


class TestDamage:
    def test_a_missing_file_is_named(self, folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        assert "is missing" in refused(folder, "tokenizer.json", verify=False)

    def test_another_one_in_its_place_is_found_before_the_first_text(self, folder: Path) -> None:
        """A search does not check the whole bundle, but all that it uses."""
        path = folder / "tokenizer.json"
        path.write_bytes(path.read_bytes().replace(b'"dog"', b'"god"'))
        encoder = open_encoder(folder)
        with pytest.raises(BundleError, match=r"tokenizer\.json: is damaged \(not the sha256"):
            encoder.encode_texts(["a dog"])
        refused(folder, "tokenizer.json")

    def test_one_that_was_never_right(self, folder: Path) -> None:
        (folder / "tokenizer.json").write_text('{"do_lower_case": true}')
        encoder = open_encoder(write_manifest(folder, fields()).folder)
        with pytest.raises(BundleError, match=re.escape(str(folder / "tokenizer.json"))):
            encoder.encode_texts(["a dog"])


WRONG: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("pad_id", lambda manifest: manifest["text"].pop("pad_id")),
    ("padding", lambda manifest: manifest["text"].pop("padding")),
    ("pad_id", lambda manifest: manifest["text"].update(pad_id=-1)),
    ("padding", lambda manifest: manifest["text"].update(padding="left")),
    ("text", lambda manifest: manifest["text"].update(tokenizer="clip-bpe")),
    ("tokenizer", lambda manifest: manifest["text"].update(tokenizer="vocab.txt")),
    ("tokenizer", lambda manifest: manifest["text"].update(tokenizer="../tokenizer.json")),
    ("tokenizer.json", lambda manifest: manifest["files"].pop("tokenizer.json")),
]


@pytest.mark.parametrize(("named", "edit"), WRONG)
def test_a_manifest_that_does_not_say_it_right(
    folder: Path, named: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    change(folder, edit)
    assert named in refused(folder, "bundle.json").removeprefix(str(folder / "bundle.json"))
