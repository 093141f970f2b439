"""Torchvision can be imported where its compiled operators cannot be loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def _run(program: str) -> subprocess.CompletedProcess[str]:
    """In a fresh interpreter: what has been imported before decides what is tested."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_operators_are_declared_where_torchvision_lacks_them_and_what_needs_it_imports() -> None:
    done = _run(
        "import sys\n"
        "from trainer import torchvision_ops\n"
        "torchvision_ops.ensure_torchvision()\n"
        "torchvision_ops.ensure_torchvision()\n"
        "assert 'torchvision' not in sys.modules\n"
        "import torchvision.extension\n"
        "declared = torchvision_ops._library is not None\n"
        "assert declared == (not torchvision.extension._has_ops()), declared\n"
        "import torchvision.transforms.v2\n"
        "torchvision_ops.ensure_torchvision()\n"
    )
    assert done.returncode == 0, done.stderr


def test_loadable_operators_are_left_to_torchvision() -> None:
    done = _run(
        "from trainer import torchvision_ops\n"
        "torchvision_ops._compiled_operators_load = lambda package: True\n"
        "torchvision_ops.ensure_torchvision()\n"
        "assert torchvision_ops._library is None\n"
    )
    assert done.returncode == 0, done.stderr
