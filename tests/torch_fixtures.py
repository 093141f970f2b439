"""What keeps PyTorch from taking longer than the tests of it."""

from __future__ import annotations

import os
import sys
from functools import cache

import pytest

# Networks this small gain nothing from threads, which stall one another on a busy machine. It is
# read by PyTorch and FAISS when they are imported, here and in the processes of the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    # The files of tests import it, if any of them does.
    module = sys.modules.get("trainer.export.bundle")
    if module is not None:
        from exported_once import exported_once

        module.write_onnx = exported_once(module.write_onnx)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def one_table_of_operators() -> None:
    """The exporter reads the ONNX forms of all operators anew, for a second, at each network."""
    module = sys.modules.get("torch.onnx._internal.exporter._registration")
    registry = getattr(module, "ONNXRegistry", None)
    read = getattr(registry, "from_torchlib", None)
    if read is not None and not hasattr(read, "cache_info"):
        registry.from_torchlib = staticmethod(cache(read))


@pytest.fixture
def curves() -> None:
    """Asked for by a test of the curves that a training run draws."""


@pytest.fixture(autouse=True)
def no_other_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them takes as long as the small runs of the tests do."""
    log = sys.modules.get("trainer.train.log")
    if log is not None and "curves" not in request.fixturenames:
        monkeypatch.setattr(log, "plot_curves", lambda *given: None)
