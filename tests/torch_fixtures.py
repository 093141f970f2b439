"""What keeps PyTorch from taking longer than the tests of it."""

from __future__ import annotations

import os
import sys
from functools import cache

import pytest

# Networks this small gain nothing from threads, which stall one another on a busy machine. It is
# read by PyTorch and FAISS when they are imported, here and in the processes of the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def one_table_of_operators() -> None:
    """The exporter reads the ONNX forms of all operators anew, for a second, at each network."""
    module = sys.modules.get("torch.onnx._internal.exporter._registration")
    registry = getattr(module, "ONNXRegistry", None)
    read = getattr(registry, "from_torchlib", None)
    if read is not None and not hasattr(read, "cache_info"):
        registry.from_torchlib = staticmethod(cache(read))
