"""What each way in imports: nobody waits for, or has to install, what they do not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from optional import needs
from PIL import Image

from index import Catalogue, FileStamp, NewPhoto
from photosearch.encoders import open_encoder

REPORT = "import sys, json; print(json.dumps(sorted(sys.modules)))"


def modules_after(code: str, *, cwd: Path) -> set[str]:
    """The modules that a fresh Python has imported after running `code`."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("PHOTOSEARCH_")
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{REPORT}"],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path, pictures: Path) -> Path:
    """A library of real pictures, recorded with the tiny model."""
    folder = tmp_path / "library"
    encoder = open_encoder(tiny_bundle)
    paths = sorted(pictures.iterdir())
    opened = [Image.open(path) for path in paths]
    photos = [
        NewPhoto(
            str(path),
            FileStamp(path.stat().st_size, path.stat().st_mtime_ns),
            picture.width,
            picture.height,
            str(picture.format),
        )
        for path, picture in zip(paths, opened, strict=True)
    ]
    with Catalogue.open(folder) as catalogue:
        catalogue.record(encoder.bundle_id, photos, encoder.encode_images(opened))
    return folder


TRAINING = {"torch", "torchvision", "open_clip", "timm", "transformers", "onnx", "trainer"}
PAGES = {"gradio", "fastapi", "starlette", "pandas", "matplotlib", "skimage", "sklearn", "scipy"}
FORMERS = TRAINING | PAGES


def test_the_encoders_import_nothing_heavy(tmp_path: Path) -> None:
    modules = modules_after("import photosearch.encoders", cwd=tmp_path)

    assert "photosearch.encoders" in modules
    assert not modules & (FORMERS | {"faiss", "onnxruntime", "tokenizers", "ftfy", "index"})


def test_the_package_itself_imports_next_to_nothing(tmp_path: Path) -> None:
    modules = modules_after("import photosearch", cwd=tmp_path)

    assert not modules & (FORMERS | {"faiss", "onnxruntime", "tokenizers", "numpy", "PIL", "index"})


def test_encoding_a_text_needs_no_training_and_no_pages(tmp_path: Path, tiny_bundle: Path) -> None:
    code = f"""
from photosearch.encoders import open_encoder
assert open_encoder({str(tiny_bundle)!r}).encode_texts(["a dog"]).shape == (1, 32)
"""
    modules = modules_after(code, cwd=tmp_path)

    assert "onnxruntime" in modules
    assert not modules & (FORMERS | {"faiss", "index"})


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"], ["-0"]])
def test_a_search_imports_no_training_and_no_pages(
    library: Path, tiny_bundle: Path, pictures: Path, tmp_path: Path, form: list[str]
) -> None:
    arguments = ["--library", str(library), "--model", str(tiny_bundle), "search", "a cat", *form]
    code = f"""
from photosearch.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code, end.code
print()
"""
    modules = modules_after(code, cwd=tmp_path)

    assert {"onnxruntime", "faiss", "sqlite3"} <= modules
    assert not modules & (FORMERS | {"pillow_heif", "multiprocessing.pool", "importlib.metadata"})
    assert not any(name.startswith("photosearch.indexing") for name in modules)
    parts = ("albums", "models", "photos", "saved", "texts")
    assert not modules & {f"photosearch.library.{part}" for part in parts}
    # What is asked for when nothing is found, while somebody types, and of one photo.
    others = ("search.instead", "search.suggest", "search.why", "status")
    assert not modules & {f"photosearch.{other}" for other in others}


@pytest.mark.slow
@needs(
    sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1,
    "Linux, and two cores: the other process is a fork",
)
def test_a_search_by_command_leaves_the_network_to_another_process(
    library: Path, tiny_bundle: Path, pictures: Path, tmp_path: Path
) -> None:
    arguments = ["photosearch", "--library", str(library), "--model", str(tiny_bundle)]
    code = f"""
import sys
from photosearch.__main__ import run
sys.argv = {[*arguments, "search", "a cat"]!r}
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
print()
"""
    modules = modules_after(code, cwd=tmp_path)

    assert {"faiss", "sqlite3"} <= modules
    assert not modules & {"onnxruntime", "tokenizers"}
    faces = ("index.catalogue.faces", "index.safety.health", "index.catalogue.shelves")
    assert not modules & {*faces, "photosearch.faces"}


@pytest.mark.slow
def test_a_search_finds_the_photos(library: Path, tiny_bundle: Path, pictures: Path) -> None:
    """The search whose imports are judged above is a real one."""
    command = [sys.executable, "-c", "from photosearch.cli import main; main()"]
    command += ["--library", str(library), "--model", str(tiny_bundle), "search", "a cat", "-0"]
    done = subprocess.run(command, capture_output=True, check=True)

    found = [os.fsdecode(path) for path in done.stdout.split(b"\0") if path]
    assert sorted(found) == sorted(str(path) for path in pictures.iterdir())
    encoder = open_encoder(tiny_bundle)
    query = encoder.encode_texts(["a cat"])[0]
    scores = {
        str(path): float(encoder.encode_images([Image.open(path)])[0] @ query)
        for path in pictures.iterdir()
    }
    assert found[0] == max(scores, key=lambda path: scores[path])
    assert np.all(np.diff([scores[path] for path in found]) < 1e-3)


def test_a_worker_that_decodes_needs_no_network_and_no_database(
    tmp_path: Path, pictures: Path
) -> None:
    code = f"""
from photosearch.encoders.bundle import ImageSettings
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.decode import decode, prepare_decoders
import photosearch.indexing.workers
prepare_decoders()
half = (0.5, 0.5, 0.5)
preprocess = Preprocess(ImageSettings(64, "squash", "none", "bicubic", half, half))
decoded = decode({str(pictures / "rocket.jpg")!r}, preprocess)
assert decoded.pixels.shape == (64, 64, 3)
"""
    modules = modules_after(code, cwd=tmp_path)

    assert "photosearch.indexing.decode" in modules
    heavy = {"onnxruntime", "sqlite_utils", "sqlite3", "faiss", "tokenizers", "click"}
    assert not modules & (FORMERS | heavy)
