"""What photosearch is made of: the licences of it that are shown, and the bill of materials."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from optional import module

from photosearch import __version__
from photosearch.licences import as_text, components

REPOSITORY = Path(__file__).parents[2]


def test_all_that_it_needs_is_named_with_a_licence() -> None:
    found = {one.name.lower(): one for one in components()}
    assert next(iter(found)) == "photosearch"
    assert found["photosearch"].version == __version__
    # Needed, needed by what is needed, and in an extra of the app.
    assert {"pillow", "faiss-cpu", "starlette", "numpy"} <= found.keys()
    assert not {"torch", "pytest", "ray", "mkdocs"} & found.keys()
    assert [
        one.name for one in found.values() if one.licence == "see below" and not one.texts
    ] == []


def test_the_text_has_the_licences_themselves() -> None:
    text = as_text()
    assert text.startswith(f"photosearch {__version__}\n")
    assert "Apache License" in text
    assert "Permission is hereby granted, free of charge" in text


@pytest.mark.slow
def test_the_bill_of_materials_has_the_same(tmp_path: Path) -> None:
    module("cyclonedx")
    file = tmp_path / "bill.json"
    subprocess.run([sys.executable, REPOSITORY / "packaging" / "sbom.py", file], check=True)
    bill = json.loads(file.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    parts = {part["name"]: part for part in bill["components"]}
    expected = {one.name: one.version for one in components()[1:]}
    assert {name: parts[name]["version"] for name in expected} == expected
    models = [part for part in bill["components"] if part["type"] == "machine-learning-model"]
    assert {file["name"] for file in models[0]["components"]} >= {"image.onnx", "text.onnx"}
