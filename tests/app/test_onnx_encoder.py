from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photosearch.encoders import Bundle, Tokenizer, open_encoder, write_manifest
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import BundleError


@pytest.fixture(scope="module")
def encoder(tiny_bundle: Path) -> OnnxEncoder:
    return OnnxEncoder(Bundle.open(tiny_bundle), threads=1)


@pytest.fixture(scope="module")
def opened(pictures: Path) -> list[Image.Image]:
    return [Image.open(path) for path in sorted(pictures.iterdir())]


def use(encoder: OnnxEncoder, name: str) -> np.ndarray:
    """Run the network in the file `name`."""
    if name == "text.onnx":
        return encoder.encode_texts(["a dog"])
    return encoder.encode_images([Image.new("RGB", (8, 8))])


def test_pictures_give_unit_vectors_that_differ(
    encoder: OnnxEncoder, opened: list[Image.Image]
) -> None:
    vectors = encoder.encode_images(opened)

    assert vectors.dtype == np.float32
    assert vectors.shape == (len(opened), encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = vectors @ vectors.T
    assert cosines[~np.eye(len(opened), dtype=bool)].max() < 0.999


def test_texts_give_unit_vectors_that_differ(encoder: OnnxEncoder) -> None:
    vectors = encoder.encode_texts(["a dog", "a cat", "", "dog a"])

    assert vectors.dtype == np.float32
    assert vectors.shape == (4, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors @ vectors.T)[~np.eye(4, dtype=bool)].max() < 0.999


def test_pictures_are_preprocessed_pixels(encoder: OnnxEncoder, opened: list[Image.Image]) -> None:
    pixels = np.stack([encoder.preprocess.pixels(picture) for picture in opened])

    np.testing.assert_allclose(
        encoder.encode_images(opened), encoder.encode_pixels(pixels), atol=1e-6
    )


def test_the_network_sees_normalised_pixels_and_the_tokenizers_ids(
    encoder: OnnxEncoder, opened: list[Image.Image], tiny_bundle: Path
) -> None:
    """Against the networks run by hand, with the normalisation written out."""
    import onnxruntime

    pixels = np.stack([encoder.preprocess.pixels(picture) for picture in opened])
    inputs = (pixels / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.25]
    image = onnxruntime.InferenceSession(tiny_bundle / "image.onnx")
    (rows,) = image.run(None, {"image": inputs.transpose(0, 3, 1, 2).astype(np.float32)})
    text = onnxruntime.InferenceSession(tiny_bundle / "text.onnx")
    (words,) = text.run(None, {"tokens": Tokenizer(16)(["a red car"])})

    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_pixels(pixels), expected, atol=1e-5)
    expected = words / np.linalg.norm(words, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_texts(["a red car"]), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 70])
def test_a_row_does_not_depend_on_its_batch(encoder: OnnxEncoder, count: int) -> None:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    texts = [f"photo number {number}" for number in range(count)]

    images, words = encoder.encode_pixels(pixels), encoder.encode_texts(texts)

    assert images.shape == words.shape == (count, encoder.dim)
    for row in {0, count // 2, count - 1}:
        np.testing.assert_allclose(
            images[row], encoder.encode_pixels(pixels[row : row + 1])[0], atol=1e-5
        )
        np.testing.assert_allclose(words[row], encoder.encode_texts([texts[row]])[0], atol=1e-5)


def test_nothing_in_nothing_out(encoder: OnnxEncoder) -> None:
    for vectors in (
        encoder.encode_images([]),
        encoder.encode_texts([]),
        encoder.encode_pixels(np.zeros((0, 64, 64, 3), np.uint8)),
    ):
        assert vectors.shape == (0, encoder.dim)
        assert vectors.dtype == np.float32


def test_a_text_longer_than_the_context_is_cut(encoder: OnnxEncoder) -> None:
    start = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"

    vectors = encoder.encode_texts([start, start + " and many more words", "one two"])

    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.99


def test_a_text_needs_no_image_network_and_a_picture_no_text_network(bundle_copy: Path) -> None:
    opened = Bundle.open(bundle_copy)
    (bundle_copy / "image.onnx").unlink()
    assert OnnxEncoder(opened).encode_texts(["a dog"]).shape == (1, 32)

    shutil.move(bundle_copy / "text.onnx", bundle_copy / "image.onnx")
    with pytest.raises(BundleError):
        OnnxEncoder(opened).encode_texts(["a dog"])


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx"])
@pytest.mark.parametrize("content", [b"", b"not a network", None])
def test_a_file_that_is_no_network_is_a_bundle_error(
    bundle_copy: Path, manifest_fields: dict[str, Any], name: str, content: bytes | None
) -> None:
    """Also where the hashes agree, because the damage came before they were taken."""
    path = bundle_copy / name
    if content is None:
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    encoder = OnnxEncoder(write_manifest(bundle_copy, manifest_fields))

    with pytest.raises(BundleError, match=re.escape(str(path))) as caught:
        use(encoder, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "section", "change"),
    [
        ("image.onnx", None, {"embedding_dim": 48}),
        ("text.onnx", None, {"embedding_dim": 48}),
        ("image.onnx", "image", {"size": 48}),
        ("text.onnx", "text", {"context_length": 8}),
    ],
)
def test_a_network_that_breaks_the_manifests_promise_is_a_bundle_error(
    bundle_copy: Path,
    manifest_fields: dict[str, Any],
    name: str,
    section: str | None,
    change: dict[str, int],
) -> None:
    fields = change if section is None else {section: manifest_fields[section] | change}
    encoder = OnnxEncoder(write_manifest(bundle_copy, manifest_fields | fields))

    with pytest.raises(BundleError, match=re.escape(str(bundle_copy / name))):
        use(encoder, name)


def test_swapped_networks_are_a_bundle_error(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    shutil.move(bundle_copy / "image.onnx", bundle_copy / "other")
    shutil.move(bundle_copy / "text.onnx", bundle_copy / "image.onnx")
    shutil.move(bundle_copy / "other", bundle_copy / "text.onnx")
    encoder = OnnxEncoder(write_manifest(bundle_copy, manifest_fields))

    with pytest.raises(BundleError, match=re.escape(str(bundle_copy / "text.onnx"))):
        encoder.encode_texts(["a dog"])


def test_open_encoder_takes_the_path_then_the_environment(
    tiny_bundle: Path, bundle_copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(bundle_copy))
    assert open_encoder().encode_texts(["a dog"]).shape == (1, 32)
    assert open_encoder().bundle_id == Bundle.open(tiny_bundle).id

    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(tmp_path / "absent"))
    assert open_encoder(tiny_bundle).bundle_id == Bundle.open(tiny_bundle).id
    with pytest.raises(BundleError, match="absent"):
        open_encoder()
