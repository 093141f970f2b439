"""Who may import whom, and what a program sees of us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import photosearch

REPOSITORY = Path(__file__).parents[2]


def test_the_import_rules_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    assert not hasattr(photosearch, "nothing")


def test_every_error_is_ours_and_has_an_exit_code() -> None:
    errors = [name for name in photosearch.__all__ if name.endswith("Error")]
    assert set(errors) >= {"BundleError", "LibraryError", "PhotosearchError", "UsageError"}
    for name in errors:
        error = getattr(photosearch, name)
        assert issubclass(error, photosearch.PhotosearchError)
        assert error.exit_code == (2 if issubclass(error, photosearch.UsageError) else 1)
        assert error.__doc__


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Each process that decodes pictures imports it too."""
    program = (
        "import sys, photosearch\n"
        "heavy = 'numpy PIL sqlite_utils faiss onnxruntime torch gradio'.split()\n"
        "sys.exit(' '.join(name for name in heavy if name in sys.modules))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=300
    )
    assert result.stderr.strip() == ""
