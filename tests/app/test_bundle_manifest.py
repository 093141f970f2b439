"""Manifests of bundles that are damaged, or say something wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bundles import change, refused


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"7", b'"bundle"', b"{}", b"[" * 100_000],
    ids=["empty", "cut", "binary", "array", "null", "number", "string", "object", "deep"],
)
def test_a_manifest_that_is_none_is_named(bundle_copy: Path, content: bytes) -> None:
    (bundle_copy / "bundle.json").write_bytes(content)
    refused(bundle_copy, "bundle.json")


def test_a_folder_as_manifest_is_named(bundle_copy: Path) -> None:
    (bundle_copy / "bundle.json").unlink()
    (bundle_copy / "bundle.json").mkdir()
    refused(bundle_copy, "bundle.json")


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_manifest_cut_short_is_named(bundle_copy: Path, cut: float) -> None:
    path = bundle_copy / "bundle.json"
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    refused(bundle_copy, "bundle.json")


@pytest.mark.parametrize("newer", [2, "2", 1.5, None])
def test_another_format_says_to_upgrade(bundle_copy: Path, newer: object) -> None:
    """Before anything else is judged: a newer format may look quite different."""
    (bundle_copy / "bundle.json").write_text(json.dumps({"format": newer, "towers": []}))
    message = refused(bundle_copy, "bundle.json")
    if newer == 2:
        assert "upgrade photosearch" in message


KEYS = ["format", "name", "version", "architecture", "embedding_dim", "image", "text"]


KEYS += ["logit_scale", "calibration", "licence", "provenance", "metrics", "files"]


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(bundle_copy: Path, key: str) -> None:
    change(bundle_copy, lambda manifest: manifest.pop(key))
    assert key in refused(bundle_copy, "bundle.json")


WRONG: list[tuple[str, Any]] = [
    ("name", "a/b"),
    ("name", "../x"),
    ("name", ""),
    ("name", 7),
    ("version", "1\n"),
    ("version", "1/2"),
    ("version", 1),
    ("embedding_dim", 0),
    ("embedding_dim", "32"),
    ("embedding_dim", 1.5),
    ("logit_scale", 0),
    ("logit_scale", None),
    ("calibration", 3),
    ("licence", ""),
    ("provenance", []),
    ("metrics", {}),
    ("files", {}),
    ("files", []),
    ("surprise", 1),
    ("image/size", 0),
    ("image/size", "64"),
    ("image/size", 100_000),
    ("image/resize", "stretch"),
    ("image/resize", "shortest"),  # which leaves no square unless the centre is cut out
    ("image/crop", "left"),
    ("image/interpolation", "sharp"),
    ("image/mean", [0.5, 0.5]),
    ("image/std", [0.5, 0.5, 0]),
    ("image/surprise", 1),
    ("text/context_length", 0),
    ("text/tokenizer", "sentencepiece"),
    ("text/surprise", 1),
    ("files/text.onnx", {"sha256": "00", "bytes": 1}),
    ("files/text.onnx", {"sha256": "0" * 64}),
    ("files/text.onnx", {"sha256": "0" * 64, "bytes": -1}),
    ("files/..", {"sha256": "0" * 64, "bytes": 1}),
    ("export", []),
    ("export", {}),
]


@pytest.mark.parametrize(("where", "value"), WRONG)
def test_a_wrong_value_is_named(bundle_copy: Path, where: str, value: Any) -> None:
    *sections, key = where.split("/")

    def edit(manifest: dict[str, Any]) -> None:
        for section in sections:
            manifest = manifest[section]
        manifest[key] = value

    change(bundle_copy, edit)

    assert key in refused(bundle_copy, "bundle.json")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "C:\\x", ".hidden"])
def test_files_outside_the_bundle_are_not_touched(bundle_copy: Path, name: str) -> None:
    (bundle_copy.parent / "secret").write_bytes(b"")
    entry = {"sha256": "0" * 64, "bytes": 0}
    change(bundle_copy, lambda manifest: manifest["files"].update({name: entry}))
    refused(bundle_copy, "bundle.json")
