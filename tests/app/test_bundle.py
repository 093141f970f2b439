"""None"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import change, refused
from optional import needs_user

from photosearch.encoders import (
    DEFAULT_MODEL,
    Bundle,
    default_bundle_path,
    open_encoder,
    write_manifest,
)
from photosearch.errors import BundleError


def test_a_whole_bundle_opens(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)

    assert (bundle.name, bundle.version, bundle.dim) == ("tiny", "1", 32)
    assert (bundle.image.size, bundle.image.resize, bundle.image.crop) == (64, "squash", "none")
    assert bundle.image.mean == (0.5, 0.4, 0.3)
    assert bundle.text.context_length == 16
    assert set(bundle.manifest["files"]) == {"image.onnx", "text.onnx", "README.md"}
    assert re.fullmatch(r"tiny-1-[0-9a-f]{12}", bundle.id)
    assert Bundle.open(str(tiny_bundle)).id == bundle.id


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(BundleError, match=re.escape(str(folder))) as caught:
            Bundle.open(folder)
        assert "--model" in str(caught.value)


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx", "README.md"])
def test_a_missing_file_is_named(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).unlink()
    refused(bundle_copy, name)
    refused(bundle_copy, name, verify=False)


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx", "README.md"])
def test_a_file_of_another_size_is_named(bundle_copy: Path, name: str) -> None:
    path = bundle_copy / name
    path.write_bytes(path.read_bytes()[:-1])
    refused(bundle_copy, name)
    refused(bundle_copy, name, verify=False)


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx", "README.md"])
def test_a_flipped_bit_is_found_when_verifying(bundle_copy: Path, name: str) -> None:
    path = bundle_copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(bundle_copy, name)
    Bundle.open(bundle_copy, verify=False)


def test_a_folder_where_a_file_belongs_is_named(bundle_copy: Path) -> None:
    (bundle_copy / "text.onnx").unlink()
    (bundle_copy / "text.onnx").mkdir()
    refused(bundle_copy, "text.onnx")


@needs_user
@pytest.mark.parametrize("name", ["image.onnx", "bundle.json"])
def test_a_file_that_may_not_be_read_is_named(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).chmod(0)
    refused(bundle_copy, name)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("image", "size", 32),
        ("image", "crop", "center"),
        ("image", "interpolation", "bilinear"),
        ("image", "mean", [0.5, 0.4, 0.31]),
        ("image", "std", [0.2, 0.3, 0.26]),
        ("text", "context_length", 8),
    ],
)
def test_the_id_changes_with_the_preprocessing(
    bundle_copy: Path, section: str, key: str, value: Any
) -> None:
    before = Bundle.open(bundle_copy).id
    change(bundle_copy, lambda manifest: manifest[section].update({key: value}))
    assert Bundle.open(bundle_copy).id != before


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx"])
def test_the_id_changes_with_the_weights(
    bundle_copy: Path, manifest_fields: dict[str, Any], name: str
) -> None:
    before = Bundle.open(bundle_copy).id
    content = bytearray((bundle_copy / name).read_bytes())
    content[-3] ^= 1
    (bundle_copy / name).write_bytes(content)
    assert write_manifest(bundle_copy, manifest_fields).id != before


def test_the_id_changes_when_the_networks_change_places(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    before = Bundle.open(bundle_copy).id
    shutil.move(bundle_copy / "image.onnx", bundle_copy / "x")
    shutil.move(bundle_copy / "text.onnx", bundle_copy / "image.onnx")
    shutil.move(bundle_copy / "x", bundle_copy / "text.onnx")
    assert write_manifest(bundle_copy, manifest_fields).id != before


def test_the_id_stays_when_only_words_and_measures_change(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    """A photo need not be embedded again because the model card or a threshold was mended."""
    before = Bundle.open(bundle_copy).id
    (bundle_copy / "README.md").write_text("# A better card\n", encoding="utf-8")
    fields = manifest_fields | {
        "metrics": [{"name": "recall", "value": 0.5}],
        "licence": "MIT",
        "provenance": {"weights": "random", "seed": 7},
        "calibration": {"threshold": 0.2},
        "logit_scale": 50,
        "architecture": "Other",
    }
    assert write_manifest(bundle_copy, fields).id == before


def test_the_id_says_the_name_and_version(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    renamed = write_manifest(bundle_copy, manifest_fields | {"name": "other", "version": "2.1"})
    assert renamed.id.startswith("other-2.1-")


def test_the_id_is_the_same_whatever_the_order_of_keys(bundle_copy: Path) -> None:
    before = Bundle.open(bundle_copy).id
    path = bundle_copy / "bundle.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    turned = {key: manifest[key] for key in reversed(manifest)}
    for section in ("image", "files"):
        turned[section] = {key: manifest[section][key] for key in reversed(manifest[section])}
    path.write_text(json.dumps(turned), encoding="utf-8")
    assert Bundle.open(bundle_copy).id == before


def test_the_id_is_the_same_however_a_number_is_written(bundle_copy: Path) -> None:
    ids = set()
    for number in (0, 0.0):
        change(bundle_copy, lambda manifest, n=number: manifest["image"].update(mean=[n] * 3))
        ids.add(Bundle.open(bundle_copy).id)
    assert len(ids) == 1


def test_files_in_folders_are_part_of_a_bundle(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    """A Core ML package is a folder."""
    inner = bundle_copy / "text.mlpackage" / "Data" / "weight.bin"
    inner.parent.mkdir(parents=True)
    inner.write_bytes(b"weights")
    before = Bundle.open(bundle_copy).id

    written = write_manifest(bundle_copy, manifest_fields)

    assert "text.mlpackage/Data/weight.bin" in written.manifest["files"]
    assert written.id == before
    inner.write_bytes(b"WEIGHTS")
    refused(bundle_copy, "text.mlpackage/Data/weight.bin")


def test_a_search_hashes_the_networks_it_runs_and_nothing_else(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    """Core ML packages of 100 MB and more must not be read before each search."""
    inner = bundle_copy / "text.mlpackage" / "weight.bin"
    inner.parent.mkdir()
    inner.write_bytes(b"weights")
    write_manifest(bundle_copy, manifest_fields)

    inner.write_bytes(b"WEIGHTS")
    assert open_encoder(bundle_copy).encode_texts(["a dog"]).shape == (1, 32)
    inner.write_bytes(b"cut")
    with pytest.raises(BundleError, match=re.escape(str(inner))):
        open_encoder(bundle_copy)
    inner.write_bytes(b"weights")
    flip_a_bit(bundle_copy / "image.onnx")
    encoder = open_encoder(bundle_copy)
    assert encoder.encode_texts(["a dog"]).shape == (1, 32)
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    with pytest.raises(BundleError, match=r"image\.onnx: is damaged"):
        encoder.encode_pixels(pixels)
    flip_a_bit(bundle_copy / "image.onnx")
    assert encoder.encode_pixels(pixels).shape == (1, 32)


@pytest.mark.parametrize("ahead", [False, True])
def test_a_damaged_text_network_is_told_by_the_first_text(bundle_copy: Path, ahead: bool) -> None:
    flip_a_bit(bundle_copy / "text.onnx")
    encoder = open_encoder(bundle_copy)
    if ahead:
        encoder.load_ahead()
    for _ in range(2):
        with pytest.raises(BundleError, match=r"text\.onnx: is damaged"):
            encoder.encode_texts(["a dog"])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def measured_export() -> dict[str, Any]:
    """All that a bundle may say of its export."""
    towers = {"image": 1e-7, "text": 2e-7}
    return {
        "versions": {"torch": "2.13.0"},
        "tolerance": 1e-4,
        "parity": towers,
        "storage_cosine": {"image": 1, "text": 0.9997},
        "retrieval": {
            "data": [{"file": "val.tar", "sha256": "0" * 64}],
            "task": "text to photo",
            "metric": "R@10",
            "gallery": 1000,
            "queries": 5000,
            "chance": 0.01,
            "limit": 0.005,
            "pytorch": 0.57,
            "float32": 0.57,
            "int8": 0.569,
        },
        "int8_text": {"kept": True, "cosine": 0.9998, "bytes": 19, "float32_bytes": 24},
        "coreml": {
            "precision": "float16",
            "specification_version": 6,
            "bytes": {"image": 7, "text": 30},
            "parity": None,
            "note": "Not compared.",
        },
    }


def test_what_was_measured_at_export_is_kept_and_no_part_of_the_id(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    before = Bundle.open(bundle_copy).id
    # A later exporter may measure more.
    export = measured_export() | {"more": {"anything": 1}}
    assert write_manifest(bundle_copy, manifest_fields | {"export": export}).id == before
    assert Bundle.open(bundle_copy).manifest["export"] == export


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("versions", {}),
        ("versions/torch", 2),
        ("tolerance", 0),
        ("parity", {"image": 1e-7}),
        ("storage_cosine/text", "high"),
        ("retrieval/data", []),
        ("retrieval/data", [{"file": "val.tar"}]),
        ("retrieval/gallery", 0),
        ("retrieval/pytorch", 57),
        ("int8_text/kept", "yes"),
        ("coreml/precision", "float32"),
        ("coreml/parity", {"image": 1}),
        ("coreml/note", ""),
    ],
)
def test_an_export_that_says_something_wrong_is_refused(
    bundle_copy: Path, manifest_fields: dict[str, Any], where: str, value: Any
) -> None:
    export = measured_export()
    section, _, key = where.partition("/")
    if key:
        export[section][key] = value
    else:
        export[section] = value
    with pytest.raises(BundleError, match=f"export.{where.replace('/', '.')}"):
        write_manifest(bundle_copy, manifest_fields | {"export": export})


def test_writing_fields_that_are_wrong_leaves_the_old_manifest(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    before = (bundle_copy / "bundle.json").read_bytes()
    listing = sorted(path.name for path in bundle_copy.iterdir())

    with pytest.raises(BundleError, match="embedding_dim"):
        write_manifest(bundle_copy, manifest_fields | {"embedding_dim": 0})

    assert (bundle_copy / "bundle.json").read_bytes() == before
    assert sorted(path.name for path in bundle_copy.iterdir()) == listing


def test_writing_without_the_networks_is_refused(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    (bundle_copy / "text.onnx").unlink()
    with pytest.raises(BundleError, match=r"text\.onnx"):
        write_manifest(bundle_copy, manifest_fields)


def test_a_manifest_is_never_seen_half_written(
    bundle_copy: Path, manifest_fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at the rename, the last step, it leaves the old manifest as it was."""
    before = (bundle_copy / "bundle.json").read_bytes()

    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", stop)
        patched.setattr(Path, "replace", stop)
        with pytest.raises((OSError, BundleError)):
            write_manifest(bundle_copy, manifest_fields | {"licence": "MIT"})

    assert (bundle_copy / "bundle.json").read_bytes() == before
    assert Bundle.open(bundle_copy).manifest["licence"] == "Apache-2.0"

    # What the stopped run left behind is no part of the bundle.
    written = write_manifest(bundle_copy, manifest_fields | {"licence": "MIT"})
    assert set(written.manifest["files"]) == {"image.onnx", "text.onnx", "README.md"}
    assert {path.name for path in bundle_copy.iterdir()} == {
        "bundle.json",
        *written.manifest["files"],
    }


def test_hidden_files_are_no_part_of_a_bundle(
    bundle_copy: Path, manifest_fields: dict[str, Any]
) -> None:
    (bundle_copy / ".DS_Store").write_bytes(b"\x00")
    written = write_manifest(bundle_copy, manifest_fields)
    assert set(written.manifest["files"]) == {"image.onnx", "text.onnx", "README.md"}


def test_text_outside_ascii_survives(bundle_copy: Path, manifest_fields: dict[str, Any]) -> None:
    fields = manifest_fields | {"provenance": {"by": "Zoë — 写真"}}
    write_manifest(bundle_copy, fields)
    assert Bundle.open(bundle_copy).manifest["provenance"] == {"by": "Zoë — 写真"}


def test_the_default_bundle_is_what_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)
    assert default_bundle_path().parts[-3:] == ("assets", "models", DEFAULT_MODEL)
    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(tmp_path))
    assert default_bundle_path() == tmp_path
    monkeypatch.setenv("PHOTOSEARCH_MODEL", "~/models/mine")
    assert default_bundle_path() == Path.home() / "models" / "mine"
