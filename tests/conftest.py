"""Fixtures that several test files share: a small real model bundle, and real pictures."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from colour_bundle import named_tar, write_bundle
from shell import Shell
from tiny_model import tiny_fields, write_tiny
from unsynced import wait_for_no_disk

from photosearch import Library

pytest_plugins = [
    "forked_decoders", "library_fixtures", "optional", "postgres", "slow", "torch_fixtures",
    "ui_fixtures",
]  # fmt: skip

# All come inside scikit-image's wheel. Large and small, upright and wide, colour and grey.
PICTURES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "coins.png")


def pytest_configure() -> None:
    # What runs in the background of a shell ignores Ctrl-C, and so would all that is started.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    wait_for_no_disk()
    # Where Python is told to keep no bytecode, as in containers, each of a thousand commands would
    # compile our modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ.pop("HF_HUB_OFFLINE", None)
    # It reads once whether it is offline, as the modules of the pages, imported later, have it.
    importlib.import_module("huggingface_hub.constants")
    # Reading the modules makes nearly a million objects, which stay. Looking through them again and
    # again for what can go takes as long as many tests.
    gc.disable()


def pytest_xdist_auto_num_workers() -> int | None:
    """Half as many again as cores: tests wait for browsers, disks and processes of their own."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) * 3 // 2


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real bundle: 64 px squash, 16 tokens, 32 numbers, random fixed weights.

    Session-wide: copy it before changing anything in it.
    """
    return write_tiny(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real bundle that finds pictures by colour, not to be changed."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "colours")


@pytest.fixture(scope="session")
def coloured_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of photos that the bundle `colours` finds by their labels and captions."""
    return named_tar(tmp_path_factory.mktemp("coloured") / "photos.tar")


@pytest.fixture
def bundle_copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle, to be damaged."""
    return shutil.copytree(tiny_bundle, tmp_path / "bundle")


@pytest.fixture
def shell(tmp_path: Path, tiny_bundle: Path) -> Shell:
    """The command line, with a library of its own and the tiny bundle."""
    return Shell(tmp_path, tiny_bundle)


@pytest.fixture
def indexed(shell: Shell, picture_library: Path) -> Shell:
    """The command line with a library of the session's pictures, which are not to be changed."""
    shutil.copytree(picture_library, shell.library)
    return shell


@pytest.fixture(scope="session")
def picture_library(
    tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, pictures: Path
) -> Path:
    """The library of the session's pictures, to be copied."""
    folder = tmp_path_factory.mktemp("library") / "library"
    with Library.open(folder, model=tiny_bundle) as library:
        for _ in library.index([pictures], workers=1):
            pass
    return folder


@pytest.fixture
def photos(tmp_path: Path, pictures: Path) -> Path:
    """A folder of six real pictures, to be changed."""
    return Path(shutil.copytree(pictures, tmp_path / "photos"))


@pytest.fixture
def manifest_fields() -> dict[str, Any]:
    """What `write_manifest` takes to describe the tiny bundle."""
    return tiny_fields()


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow as the processes have it that decode."""
    from PIL import Image

    from photosearch.indexing.decode import prepare_decoders

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    prepare_decoders()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real pictures."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    shipped = Path(spec.origin).parent / "data"
    folder = tmp_path_factory.mktemp("pictures")
    for name in PICTURES:
        shutil.copyfile(shipped / name, folder / name)
    return folder
