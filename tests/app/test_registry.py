"""Finding the bundle, and what opening it costs, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import photosearch
from photosearch.encoders import DEFAULT_MODEL

PACKAGE = Path(photosearch.__file__).parent
ENCODE = """
import json, sys
from photosearch.encoders import default_bundle_path, open_encoder

encoder = open_encoder()
rows = encoder.encode_texts(["two dogs on a beach", "Grandma & me, 1987"])
print(json.dumps({
    "bundle": str(default_bundle_path()),
    "shape": rows.shape,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
}))
"""


def run(code: str, site: Path, cwd: Path, model: Path | None = None) -> subprocess.CompletedProcess:
    """Run `code` in a fresh interpreter that finds photosearch in the folder `site`."""
    environment = {key: value for key, value in os.environ.items() if key != "PHOTOSEARCH_MODEL"}
    environment["PYTHONPATH"] = str(site)
    if model is not None:
        environment["PHOTOSEARCH_MODEL"] = str(model)
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with photosearch alone in it: no trainer, no assets, no source tree."""
    folder = tmp_path / "site"
    shutil.copytree(
        PACKAGE, folder / "photosearch", ignore=shutil.ignore_patterns("__pycache__", "assets")
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("assets", ["photosearch/assets", "assets"], ids=["wheel", "source tree"])
def test_the_bundle_is_found_from_any_folder(
    site: Path, tmp_path: Path, tiny_bundle: Path, assets: str
) -> None:
    bundle = site / assets / "models" / DEFAULT_MODEL
    shutil.copytree(tiny_bundle, bundle)

    done = run(ENCODE, site, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert Path(answer["bundle"]) == bundle
    assert answer["shape"] == [2, 32]


def test_a_missing_bundle_says_what_to_do(site: Path, tmp_path: Path) -> None:
    code = """
from photosearch import BundleError
from photosearch.encoders import open_encoder
try:
    open_encoder()
except BundleError as error:
    print(error)
"""
    done = run(code, site, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f"{DEFAULT_MODEL}: no model bundle here" in done.stdout
    assert "--model" in done.stdout
    assert "install photosearch again" in done.stdout


def test_a_text_search_imports_little_and_says_nothing(
    site: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    done = run(ENCODE, site, cwd=tmp_path, model=tiny_bundle)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    modules = set(json.loads(done.stdout)["modules"])
    assert "onnxruntime" in modules
    slow = {"torch", "torchvision", "open_clip", "timm", "gradio", "faiss", "trainer", "index"}
    slow |= {"PIL", "ftfy", "transformers", "tokenizers", "jsonschema", "sklearn", "skimage"}
    assert not modules & slow


def test_importing_the_encoders_loads_no_back_end(site: Path, tmp_path: Path) -> None:
    code = "import json, sys, photosearch.encoders; print(json.dumps(sorted(sys.modules)))"

    done = run(code, site, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    modules = {name.partition(".")[0] for name in json.loads(done.stdout)}
    heavy = {"torch", "open_clip", "gradio", "faiss", "onnxruntime", "tokenizers", "PIL"}
    assert not modules & heavy
