"""The wheel as a user gets it: built, installed with pip in a fresh environment, and used there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from optional import needs

from photosearch.encoders import DEFAULT_MODEL

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "assets" / "models" / DEFAULT_MODEL

pytestmark = [
    pytest.mark.slow,
    needs((MODEL / "bundle.json").is_file(), f"assets/models/{DEFAULT_MODEL}"),
]


def run(command: list[str | Path], folder: Path) -> str:
    """Run from `folder` with nothing of this source tree or environment in reach."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
    # How pip reaches the registry is the machine's affair.
    environment = {
        key: value
        for key, value in os.environ.items()
        if key in kept or key.startswith("PIP_") or key.lower().endswith("_proxy")
    }
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY], folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel and its dependencies, nothing else."""
    place = tmp_path_factory.mktemp("fresh") / "environment"
    venv.create(place)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    # A pip of its own would be one more thing to install.
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", programs / "python"]
    install = [*pip, "install", "--quiet", "--no-compile", wheel]
    run([*install, "--constraint", REPOSITORY / "constraints.txt"], place)
    return programs


def test_the_wheel_holds_the_model_and_nothing_stray(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    inside = f"photosearch/assets/models/{DEFAULT_MODEL}/"
    assert {inside + name for name in ("bundle.json", "image.onnx", "text.onnx")} <= set(names)
    for package in ("index", "photosearch", "trainer"):
        files = (path for path in (REPOSITORY / package).rglob("*") if path.is_file())
        sources = {
            path.relative_to(REPOSITORY).as_posix()
            for path in files
            if "__pycache__" not in path.parts
        }
        assert sources <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "index",
        "photosearch",
        "trainer",
    }
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_the_installed_program_indexes_and_searches(
    binaries: Path, pictures: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    photos = Path(shutil.copytree(pictures, tmp_path / "photos"))
    program: list[str | Path] = [binaries / "photosearch", "--library", tmp_path / "library"]

    assert "Indexed 6 photos" in run([*program, "index", photos], elsewhere)
    search = [*program, "search", "--all", "--json", "a photo of a cat"]
    found = json.loads(run(search, elsewhere))
    assert len(found["hits"]) == 6
    assert found["hits"][0]["path"] == str(photos / "chelsea.png")
    status = json.loads(run([*program, "status", "--json"], elsewhere))
    assert status["model"].startswith(f"{DEFAULT_MODEL}-")
    assert (status["photos"], status["encoded"], status["problems"]) == (6, 6, [])
    assert list(elsewhere.iterdir()) == []

    as_module = [binaries / "python", "-m", "photosearch", "--library", tmp_path / "library"]
    assert "Photos    6" in run([*as_module, "status"], elsewhere)


def test_the_installed_library_is_the_wheels(binaries: Path, tmp_path: Path) -> None:
    program = (
        "import index, photosearch, importlib.util as u\n"
        "print(photosearch.__file__, index.__file__)\n"
        "print([name for name in ('torch', 'open_clip', 'timm') if u.find_spec(name)])\n"
    )
    places, extra = run([binaries / "python", "-c", program], tmp_path).splitlines()
    assert all(str(binaries.parent) in place for place in places.split())
    assert extra == "[]"
